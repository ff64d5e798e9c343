"""HTTP/1.1 requests, each on a connection of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.clock import Clock
from pprof_exporter.scrape.client.dialer import Dialer
from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.exchange import Exchange, Http1Exchange, NoReply
from pprof_exporter.scrape.client.known_protocols import HttpVersion, KnownProtocols
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import NotHttp, ReplyHead
from pprof_exporter.scrape.client.reply_parser import CutReply
from pprof_exporter.scrape.client.route import Route
from pprof_exporter.scrape.client.stream import NoHttp2, StreamRefused

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

    def __init__(self, head: ReplyHead, exchange: Exchange) -> None:
        self.head = head
        self._exchange = exchange

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exchange.close()

    async def read(self, add: Callable[[bytes], None], ready: Callable[[int], Awaitable[None]]) -> None:
        """Give each piece of the body to `add` as it comes, once `ready` has returned for so many bytes.

        Meanwhile nothing more is received.
        """
        while pieces := await self._exchange.pieces():
            await ready(sum(map(len, pieces)))
            for piece in pieces:
                add(piece)

    async def beginning(self, size: int) -> bytes:
        """At most so many bytes of the body."""
        body = b""
        while len(body) < size and (pieces := await self._exchange.pieces()):
            body += b"".join(pieces)
        return body[:size]


class HttpClient:
    """Sends requests. It keeps no connection, and follows no redirect.

    A server that closes the connection without a byte, or greets in HTTP/2, is asked once more over HTTP/2, and from
    then on over that alone if it answered. No other request is repeated.
    """

    def __init__(self, dialer: Dialer, clock: Clock) -> None:
        self._dialer = dialer
        self._known = KnownProtocols(clock)

    async def send(self, request: HttpRequest, watch: Stopwatch) -> HttpReply:
        """The reply to a request, once its head has come. Stamps the phases.

        Raises `OSError` and `HttpError`.
        """
        url, tls = request.url, request.route.tls is not None
        server = (url.raw_host or "", url.port or 0, tls)
        if self._known.of(server) is HttpVersion.HTTP2:
            try:
                return await self._send_http2(request, watch)
            except (CutReply, NoHttp2, NotHttp):
                self._known.forget(server)
                raise
        try:
            reply = await self._send_http1(request, watch)
        except (NoReply, NotHttp) as error:
            other = isinstance(error, NotHttp) and error.hint is not Hint.HTTP2
            # A proxy that takes whole URLs speaks for its target.
            if other or (request.route.proxy and not tls) or not self._known.may_try_http2(server):
                raise
            failure: HttpError = error
        else:
            self._known.learn(server, HttpVersion.HTTP1)
            return reply
        watch.restart()
        try:
            reply = await self._send_http2(request, watch)
        except StreamRefused as error:
            self._known.learn(server, HttpVersion.HTTP2)
            failure = error
        except (OSError, HttpError):
            pass
        else:
            self._known.learn(server, HttpVersion.HTTP2)
            return reply
        try:
            raise failure
        finally:
            # Its traceback refers to this frame.
            del failure

    async def _send_http1(self, request: HttpRequest, watch: Stopwatch) -> HttpReply:
        stream = await self._dialer.connect(request.url, request.route, watch)
        return await _begun(Http1Exchange(stream, request_bytes(request)), watch)

    async def _send_http2(self, request: HttpRequest, watch: Stopwatch) -> HttpReply:
        from pprof_exporter.scrape.client.http2 import Http2Exchange  # noqa: PLC0415 - loads h2, which few servers need

        url = request.url
        stream = await self._dialer.connect(url, request.route, watch, http2=True)
        headers = [*_default_headers(request), *request.headers]
        target = (url.scheme, _host(url), url.raw_path_qs)
        return await _begun(Http2Exchange(stream, target, headers, request.body), watch)


async def _begun(exchange: Exchange, watch: Stopwatch) -> HttpReply:
    try:
        head = await exchange.begin()
    except BaseException:
        exchange.close()
        raise
    watch.headers = time.perf_counter()
    return HttpReply(head, exchange)


def request_bytes(request: HttpRequest) -> bytes:
    """The request as it is sent."""
    url, route = request.url, request.route
    method = "GET" if request.body is None else "POST"
    # A proxy gets the whole URL, unless it only carries TLS to the target.
    through_proxy = route.proxy is not None and route.tls is None
    target = f"{url.scheme}://{url.host_port_subcomponent}{url.raw_path_qs}" if through_proxy else url.raw_path_qs
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {_host(url)}\r\n"]
    if request.headers:
        lines += [f"{name}: {value}\r\n" for name, value in _default_headers(request)]
        lines += [f"{name}: {value}\r\n" for name, value in request.headers]
    else:
        lines.append(_DEFAULT_LINES)
    if through_proxy and route.proxy_authorization:
        lines.append(f"Proxy-Authorization: {route.proxy_authorization}\r\n")
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}\r\n")
    return ("".join(lines) + "Connection: close\r\n\r\n").encode() + (request.body or b"")


def _default_headers(request: HttpRequest) -> Headers:
    """The exporter's own headers that the request does not set itself."""
    own = {name.lower() for name, _ in request.headers}
    return [(name, value) for name, value in _DEFAULT_HEADERS if name.lower() not in own]


def _host(url: URL) -> str:
    """Host and port for the server."""
    host = url.host_port_subcomponent or ""
    # The zone of a link-local address is a matter of this machine: net/http leaves it out too (removeZone).
    return _ZONE.sub("]", host) if "%" in host else host
