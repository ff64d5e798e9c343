"""One GET, with its phases, within bounds; each failure has a reason."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


class Getter(Protocol):
    """The part of an HTTP client that collectors use."""

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        """See `Fetcher.get`."""
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

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        """Fetch within `window + timeout` seconds. Raises `FetchError` for every failure of target or network."""
        return await self._get(self._plain, url, tuple((query or {}).items()), timeout, window)

    async def _get(self, client: ConfiguredClient, url: URL, query: Params, timeout: float, window: float) -> Reply:
        """Send the request once, or twice if its token was refused."""
        ends = time.perf_counter() + timeout
        used = await client.credentials(self._session, url, timeout)
        try:
            return await self._follow(client, used, url.with_query(query) if query else url, _remaining(ends), window)
        except FetchError as error:
            if error.status != 401 or not client.discard_token(used):
                raise
        used = await client.credentials(self._session, url, _remaining(ends))
        return await self._follow(client, used, url.with_query(query) if query else url, _remaining(ends), window)

    async def _follow(
        self, client: ConfiguredClient, used: Credentials, url: URL, timeout: float, window: float
    ) -> Reply:
        # Before the stopwatch starts, so that reading certificates does not count as connecting.
        client.context(url, same_origin=True)
        connection = Connection(url, self._clock.now())
        try:
            async with asyncio.timeout(window + timeout):
                while (found := await self._request(client, used, connection)) is None:
                    pass
        except FetchError as error:
            raise FetchError(error.reason, used.hide(error.detail), error.status) from None
        except TimeoutError:
            raise timeout_error(connection.stopwatch, window + timeout) from None
        except (aiohttp.ClientError, OSError, RetryRefused) as error:
            failure = transport_error(error, connection.stopwatch)
            raise FetchError(failure.reason, used.hide(failure.detail)) from error
        connection.stopwatch.ended = time.perf_counter()
        body, content_type = found
        return Reply(body, connection.phases(window), connection.asked_at, content_type)

    async def _request(
        self, client: ConfiguredClient, used: Credentials, connection: Connection
    ) -> tuple[bytes, str] | None:
        """Body and content type of the reply, or None after a redirect. Raises `FetchError`."""
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
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > self.max_bytes:
                    raise FetchError(Reason.TOO_LARGE, f"more than the limit of {self.max_bytes} bytes")
            return bytes(body), response.content_type


class _Bound:
    """A fetcher with the client settings and parameters of one target."""

    def __init__(self, get: Callable[[URL, Params, float, float], Awaitable[Reply]], params: Params) -> None:
        self._get = get
        self._params = params

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        own = query or {}
        added = tuple((name, value) for name, value in self._params if name not in own)
        return await self._get(url, (*own.items(), *added), timeout, window)


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
