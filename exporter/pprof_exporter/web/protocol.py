"""The HTTP protocol of our pages: aiohttp's, where what is no request is answered, and logged in one line.

What anyone may send is no error of the exporter. aiohttp logs it at error level with a traceback, and a request whose
host it cannot decode (`GET http://xn--/`) ends the task of the connection, so that no answer comes at all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http import HttpVersion, HttpVersion10, HttpVersion11
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from yarl import URL

from pprof_exporter.event_log import LOG
from pprof_exporter.web.replies import text_reply

REQUEST_HEAD_BYTES = 64 * 1024
"""What the head of a request may take. Go reads 1 MiB (net/http, `DefaultMaxHeaderBytes`), nginx 32 KiB."""
MALFORMED_PATH = "/\x00"
"""The path of a request whose host or path cannot be decoded, or of another version of HTTP."""
_OPTIONS: dict[str, Any] = {
    "max_line_size": REQUEST_HEAD_BYTES,
    "max_field_size": REQUEST_HEAD_BYTES,
    # As net/http: a body is what it is. What a small one might become has no bound.
    "auto_decompress": False,
}
_TEXTS = {
    400: "This is not a valid HTTP/1.1 request.",
    413: "The request is too large.",
    431: "The head of the request is too large.",
}
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_TOO_MANY = "Too many headers"
_MAX_SHOWN = 200


class PageProtocol(web.RequestHandler):
    """The protocol of one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The reply to what raised an error. Raises `ConnectionError` if a part of another reply was sent."""
        if not _is_of_client(exc):
            return super().handle_error(request, status, exc, message)
        log_malformed(request.remote, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the reply was sent")
        reply = malformed_reply(431 if isinstance(exc, LineTooLong) or _TOO_MANY in str(exc) else 400)
        reply.force_close()
        return reply

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an error that ended a connection."""
        error = kwargs.get("exc_info")
        if _is_of_client(error):
            log_malformed(None, error)
        else:
            LOG.error("internal error, please report it", exc_info=error, detail=args[0] % args[1:])


def page_protocols(server: web.Server) -> Callable[[], asyncio.Protocol]:
    """Makes the protocol of each connection to this server."""
    make = server.request_factory
    # What the runner was made with; nothing else has it.
    options = {**server._kwargs, **_OPTIONS}  # noqa: SLF001

    def request(message: Any, *others: Any) -> web.BaseRequest:
        try:
            _check_version(message.version)
            _check_path(message.path)
            return make(message, *others)
        except ValueError as error:
            peer = others[1].peername
            log_malformed(peer[0] if isinstance(peer, tuple) else None, error)
            instead = {"url": URL.build(path=MALFORMED_PATH), "path": "/%00", "version": HttpVersion10}
            return make(message._replace(**instead), *others)

    server.request_factory = request
    return lambda: PageProtocol(server, loop=asyncio.get_running_loop(), **options)


def _check_version(version: HttpVersion) -> None:
    # The parser takes 0.9 and 2.0 too, and the reply would be one of that version.
    if version not in (HttpVersion10, HttpVersion11):
        raise ValueError(f"HTTP version {version.major}.{version.minor}")


def _check_path(target: str) -> None:
    # The parser leaves what is no escape as it is, and net/url refuses it. In a query, Go leaves it too.
    if _NO_ESCAPE.search(target.partition("?")[0]):
        raise ValueError(f"invalid escape in {target}")


def malformed_reply(status: int) -> web.Response:
    """What a client gets that sent no request, or one that is too large."""
    return text_reply(_TEXTS[status], status, {"X-Content-Type-Options": "nosniff"})


def raw_reply(status: int) -> bytes:
    """The same as bytes, for a connection on which aiohttp has seen no whole head yet."""
    body = f"{_TEXTS[status]}\n"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def log_malformed(client: str | None, error: object) -> None:
    """Log what is no valid request, whose text may be anything."""
    LOG.debug("malformed request", client=client or "unknown", detail=" ".join(str(error).split())[:_MAX_SHOWN])


def _is_of_client(error: object) -> bool:
    return isinstance(error, HttpProcessingError | web.RequestPayloadError)
