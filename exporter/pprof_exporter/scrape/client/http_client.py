"""HTTP/1.1 requests, each on a connection of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.scrape.client.dialer import Dialer
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import ReplyHead
from pprof_exporter.scrape.client.reply_parser import ReplyParser
from pprof_exporter.scrape.client.route import Route
from pprof_exporter.scrape.client.stream import Stream, receive_into

_DEFAULT_HEADERS = (
    ("Accept", "*/*"),
    # Go compresses profiles itself; a second compression in transit costs both sides and gains nothing.
    ("Accept-Encoding", "identity"),
    ("User-Agent", USER_AGENT),
)
_ZONE = re.compile(r"%[^\]]*\]")
_DEFAULT_LINES = "".join(f"{name}: {value}\r\n" for name, value in _DEFAULT_HEADERS)

Headers = Sequence[tuple[str, str]]
"""Names and values; a name may come more than once. No value has a line break (`config.fits_header`)."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, and how its server is reached. Its headers take the place of the exporter's own of the same name."""

    url: URL
    route: Route
    headers: Headers = ()
    body: bytes | None = None
    """With a body, it is a POST."""


class HttpReply:
    """A reply that has begun. Use it as a context manager: its connection is closed at the end of the block.

    Reading the body raises `OSError` and `HttpError`.
    """

    def __init__(self, head: ReplyHead, stream: Stream, parser: ReplyParser, pieces: list[bytes]) -> None:
        self.head = head
        self._stream = stream
        self._parser = parser
        self._pieces = pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()

    async def read(self, add: Callable[[bytes], None]) -> None:
        """Give each piece of the body to `add` as it comes."""
        while pieces := await self._next():
            for piece in pieces:
                add(piece)

    async def beginning(self, size: int) -> bytes:
        """At most so many bytes of the body."""
        body = b""
        while len(body) < size and (pieces := await self._next()):
            body += b"".join(pieces)
        return body[:size]

    async def _next(self) -> list[bytes]:
        """The next pieces of the body, none at its end."""
        pieces, self._pieces = self._pieces, []
        while not pieces and not self._parser.ended:
            pieces = await receive_into(self._parser, self._stream)
        return pieces


class HttpClient:
    """Sends requests. It keeps no connection, repeats no request and follows no redirect."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def send(self, request: HttpRequest, watch: Stopwatch) -> HttpReply:
        """The reply to a request, once its head has come. Stamps the phases.

        Raises `OSError` and `HttpError`.
        """
        stream = await self._dialer.connect(request.url, request.route, watch)
        try:
            await stream.send(request_bytes(request))
            parser = ReplyParser()
            pieces: list[bytes] = []
            while parser.head is None:
                pieces = await receive_into(parser, stream)
        except BaseException:
            stream.close()
            raise
        watch.headers = time.perf_counter()
        return HttpReply(parser.head, stream, parser, pieces)


def request_bytes(request: HttpRequest) -> bytes:
    """The request as it is sent."""
    url, route = request.url, request.route
    own = {name.lower() for name, _ in request.headers}
    method = "GET" if request.body is None else "POST"
    # A proxy gets the whole URL, unless it only carries TLS to the target.
    through_proxy = route.proxy is not None and route.tls is None
    target = f"{url.scheme}://{url.host_port_subcomponent}{url.raw_path_qs}" if through_proxy else url.raw_path_qs
    host = url.host_port_subcomponent or ""
    if "%" in host:
        # The zone of a link-local address is a matter of this machine: net/http leaves it out too (removeZone).
        host = _ZONE.sub("]", host)
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"]
    if own:
        lines += [f"{name}: {value}\r\n" for name, value in _DEFAULT_HEADERS if name.lower() not in own]
        lines += [f"{name}: {value}\r\n" for name, value in request.headers]
    else:
        lines.append(_DEFAULT_LINES)
    if through_proxy and route.proxy_authorization:
        lines.append(f"Proxy-Authorization: {route.proxy_authorization}\r\n")
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}\r\n")
    return ("".join(lines) + "Connection: close\r\n\r\n").encode() + (request.body or b"")
