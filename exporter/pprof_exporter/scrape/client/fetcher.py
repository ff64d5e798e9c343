"""One GET, with its phases, within bounds; each failure has a reason."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self

import aiohttp
from yarl import URL

from pprof_exporter import __version__
from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.config import DEFAULT_CLIENT, ClientSettings, Params
from pprof_exporter.scrape.client.connection import REDIRECT_STATUSES, Connection
from pprof_exporter.scrape.client.credentials import ClientPool, ConfiguredClient, Credentials
from pprof_exporter.scrape.client.errors import ErrorReply, FetchError, classify_response
from pprof_exporter.scrape.client.phases import Phases, RetryRefused, trace_config
from pprof_exporter.scrape.client.resolver import SystemResolver
from pprof_exporter.scrape.client.transport_errors import timeout_error, transport_error

_HEADERS = {
    "User-Agent": f"pprof-exporter/{__version__}",
    # Go compresses profiles itself; a second compression in transit costs both sides and gains nothing.
    "Accept-Encoding": "identity",
}
_REFUSAL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete 200 reply. `asked_at` is the Unix time at which the request began."""

    body: bytes
    phases: Phases
    asked_at: float
    content_type: str = ""
    dropped: int = 0
    """Bytes of the body that were received and not kept."""

    @property
    def size(self) -> int:
        """Bytes of the body on the wire."""
        return len(self.body) + self.dropped


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The parts of a long body that are needed: so many bytes of its beginning and of its end.

    What is in between is dropped as it comes.
    """

    head: int
    tail: int


class Getter(Protocol):
    """The part of an HTTP client that collectors use."""

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """See `Fetcher.get`. A getter may keep the whole body where an excerpt is enough."""
        ...


class Fetcher:
    """The HTTP client of all targets. Each request opens a connection: an idle one costs the target a goroutine."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_bytes: int,
        socket_factory: Callable[[aiohttp.AddrInfoType], socket.socket] | None = None,
    ) -> None:
        """`socket_factory` creates the socket of each connection attempt. It refuses an address with an `OSError`."""
        self.max_bytes = max_bytes
        self._clock = clock
        self._clients = ClientPool(clock)
        self._plain = self._clients.get(DEFAULT_CLIENT)
        self._session = _session(socket_factory)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cut the requests in flight."""
        await self._session.close()

    def bind(self, client: ClientSettings, params: Params = ()) -> Getter:
        """A getter that applies these settings, and adds these parameters to those of each request."""
        if client == DEFAULT_CLIENT and not params:
            return self
        return _Bound(partial(self._get, self._clients.get(client)), params)

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """Fetch within `window + timeout` seconds. Raises `FetchError` for every failure of target or network.

        `excerpt`: the parts of the body that the reply keeps; None: all of it.
        """
        return await self._get(self._plain, url, tuple((query or {}).items()), _Bounds(timeout, window, excerpt))

    async def _get(self, client: ConfiguredClient, url: URL, query: Params, bounds: _Bounds) -> Reply:
        """Send the request once, or twice if its token was refused."""
        ends = time.perf_counter() + bounds.timeout
        used = await client.credentials(self._session, url, bounds.timeout)
        asked = url.with_query(query) if query else url
        try:
            return await self._follow(client, used, asked, replace(bounds, timeout=_remaining(ends)))
        except FetchError as error:
            if error.status != 401 or not client.discard_token(used):
                raise
        used = await client.credentials(self._session, url, _remaining(ends))
        return await self._follow(client, used, asked, replace(bounds, timeout=_remaining(ends)))

    async def _follow(self, client: ConfiguredClient, used: Credentials, url: URL, bounds: _Bounds) -> Reply:
        # Before the stopwatch starts, so that reading certificates does not count as connecting.
        client.context(url, same_origin=True)
        connection = Connection(url, self._clock.now())
        body = _Body(self.max_bytes, bounds.excerpt)
        allowed = bounds.window + bounds.timeout
        try:
            async with asyncio.timeout(allowed):
                while (content_type := await self._request(client, used, connection, body)) is None:
                    pass
        except FetchError as error:
            raise FetchError(error.reason, used.hide(error.detail), error.status) from None
        except TimeoutError:
            raise timeout_error(connection.stopwatch, allowed) from None
        except (aiohttp.ClientError, OSError, RetryRefused) as error:
            failure = transport_error(error, connection.stopwatch)
            raise FetchError(failure.reason, used.hide(failure.detail)) from error
        connection.stopwatch.ended = time.perf_counter()
        kept, dropped = body.take()
        return Reply(kept, connection.phases(bounds.window), connection.asked_at, content_type, dropped)

    async def _request(
        self, client: ConfiguredClient, used: Credentials, connection: Connection, body: _Body
    ) -> str | None:
        """Receive the body. Returns its content type, or None after a redirect. Raises `FetchError`."""
        url, stopwatch = connection.url, connection.stopwatch
        async with self._session.get(
            url,
            headers=used.headers if connection.same_origin else None,
            ssl=client.context(url, same_origin=connection.same_origin),
            server_hostname=client.server_name(same_origin=connection.same_origin),
            proxy=client.proxy(url),
            allow_redirects=False,
        ) as response:
            stopwatch.headers = time.perf_counter()
            location = response.headers.get("Location", "") if 300 <= response.status < 400 else ""
            if client.follows_redirects and response.status in REDIRECT_STATUSES and location:
                connection.follow_redirect(location, response.status)
                return None
            if response.status != 200:
                raise classify_response(
                    ErrorReply(
                        status=response.status,
                        from_pprof=response.headers.get("X-Go-Pprof") == "1",
                        body=await _beginning(response.content, _REFUSAL_BYTES),
                        location=location,
                    )
                )
            async for piece in response.content.iter_any():
                body.add(piece)
            return response.content_type


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Seconds that a request may take, and the parts of its body that are kept."""

    timeout: float
    window: float
    excerpt: Excerpt | None


class _Body:
    """The body of a reply as it comes, within bounds."""

    def __init__(self, max_bytes: int, excerpt: Excerpt | None) -> None:
        self._max_bytes = max_bytes
        self._excerpt = excerpt
        self._kept = bytearray()
        self._dropped = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece. Raises `FetchError` for more than is allowed on the wire."""
        self._kept += piece
        if len(self._kept) + self._dropped > self._max_bytes:
            raise FetchError(Reason.TOO_LARGE, f"more than the limit of {self._max_bytes} bytes")
        # Not with each piece: the tail would be moved each time.
        if self._excerpt is not None and len(self._kept) > self._excerpt.head + 2 * self._excerpt.tail:
            self._drop(self._excerpt)

    def take(self) -> tuple[bytes, int]:
        """What is kept, and how many bytes were dropped."""
        if self._excerpt is not None and len(self._kept) > self._excerpt.head + self._excerpt.tail:
            self._drop(self._excerpt)
        return bytes(self._kept), self._dropped

    def _drop(self, excerpt: Excerpt) -> None:
        end = len(self._kept) - excerpt.tail
        self._dropped += end - excerpt.head
        del self._kept[excerpt.head : end]


class _Bound:
    """A fetcher with the client settings and parameters of one target."""

    def __init__(self, get: Callable[[URL, Params, _Bounds], Awaitable[Reply]], params: Params) -> None:
        self._get = get
        self._params = params

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        own = query or {}
        added = tuple((name, value) for name, value in self._params if name not in own)
        return await self._get(url, (*own.items(), *added), _Bounds(timeout, window, excerpt))


def _session(socket_factory: Callable[[aiohttp.AddrInfoType], socket.socket] | None) -> aiohttp.ClientSession:
    """The session of all requests. Each request brings its certificates, proxy and credentials."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, force_close=True, use_dns_cache=False, resolver=SystemResolver(), socket_factory=socket_factory
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        trace_configs=[trace_config()],
        headers=_HEADERS,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _remaining(ends: float) -> float:
    return max(0.0, ends - time.perf_counter())


async def _beginning(stream: aiohttp.StreamReader, size: int) -> bytes:
    body = b""
    while len(body) < size and (piece := await stream.read(size - len(body))):
        body += piece
    return body
