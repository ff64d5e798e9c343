"""One GET with its phases, bounds and reasons."""

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
from pprof_exporter.scrape.client.errors import FetchError, Refusal, classify_response
from pprof_exporter.scrape.client.phases import Phases, RetryRefused, trace_config
from pprof_exporter.scrape.client.resolver import SystemResolver
from pprof_exporter.scrape.client.transport_errors import timeout_error, transport_error

_HEADERS = {
    "User-Agent": f"pprof-exporter/{__version__}",
    # Go compresses profiles itself; a second compression on the way costs both sides and gains nothing.
    "Accept-Encoding": "identity",
}
_REFUSAL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete 200 reply. `asked_at` is Unix time at which the request began."""

    body: bytes
    phases: Phases
    asked_at: float
    content_type: str = ""


class Getter(Protocol):
    """Makes one GET after the other; what errands need of an HTTP client."""

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        """See `Fetcher.get`."""
        ...


class Fetcher:
    """The HTTP client of all targets. A new connection each time: an idle one would be a goroutine in the target."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_bytes: int,
        socket_factory: Callable[[aiohttp.AddrInfoType], socket.socket] | None = None,
    ) -> None:
        """`socket_factory` makes the socket of each attempt to connect, and refuses an address by an `OSError`."""
        self.max_bytes = max_bytes
        self._clock = clock
        self._clients = ClientPool(clock)
        self._plain = self._clients.of(DEFAULT_CLIENT)
        self._session = _session(socket_factory)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cut what is under way."""
        await self._session.close()

    def of(self, client: ClientSettings, params: Params = ()) -> Getter:
        """Requests with these settings, and these parameters besides those that a request has of its own."""
        if client == DEFAULT_CLIENT and not params:
            return self
        return _Bound(partial(self._get, self._clients.of(client)), params)

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        """Fetch within `window + patience` seconds; raises `FetchError` for everything the world does wrong."""
        return await self._get(self._plain, url, tuple((query or {}).items()), timeout, window)

    async def _get(self, client: ConfiguredClient, url: URL, query: Params, timeout: float, window: float) -> Reply:
        """Once, or twice where a token has to be renewed."""
        ends = time.perf_counter() + timeout
        used = await client.credentials(self._session, url, timeout)
        try:
            return await self._travel(client, used, url.with_query(query) if query else url, _left(ends), window)
        except FetchError as error:
            if error.status != 401 or not client.renew(used):
                raise
        used = await client.credentials(self._session, url, _left(ends))
        return await self._travel(client, used, url.with_query(query) if query else url, _left(ends), window)

    async def _travel(
        self, client: ConfiguredClient, used: Credentials, url: URL, timeout: float, window: float
    ) -> Reply:
        # Now, so that to read certificates is not taken for the time that a connection needs.
        client.context(url, at_home=True)
        connection = Connection(url, self._clock.now())
        try:
            async with asyncio.timeout(window + timeout):
                while (found := await self._visit(client, used, connection)) is None:
                    pass
        except FetchError as error:
            raise FetchError(error.reason, used.hide(error.detail), error.status) from None
        except TimeoutError:
            raise timeout_error(connection.watch, window + timeout) from None
        except (aiohttp.ClientError, OSError, RetryRefused) as error:
            told = transport_error(error, connection.watch)
            raise FetchError(told.reason, used.hide(told.detail)) from error
        connection.watch.ended = time.perf_counter()
        body, content_type = found
        return Reply(body, connection.phases(window), connection.asked_at, content_type)

    async def _visit(
        self, client: ConfiguredClient, used: Credentials, connection: Connection
    ) -> tuple[bytes, str] | None:
        """Body and type of the reply, or None where `trip` has to go on to another URL. Raises `FetchError`."""
        url, watch = connection.url, connection.watch
        async with self._session.get(
            url,
            headers=used.headers if connection.at_home else None,
            ssl=client.context(url, at_home=connection.at_home),
            server_hostname=client.server_name(at_home=connection.at_home),
            proxy=client.proxy(url),
            allow_redirects=False,
        ) as response:
            watch.headers = time.perf_counter()
            location = response.headers.get("Location", "") if 300 <= response.status < 400 else ""
            if client.follows_redirects and response.status in REDIRECT_STATUSES and location:
                connection.go_on(location, response.status)
                return None
            if response.status != 200:
                raise classify_response(
                    Refusal(
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
    """A fetcher under client settings."""

    def __init__(self, get: Callable[[URL, Params, float, float], Awaitable[Reply]], params: Params) -> None:
        self._get = get
        self._params = params

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        own = query or {}
        besides = tuple((name, value) for name, value in self._params if name not in own)
        return await self._get(url, (*own.items(), *besides), timeout, window)


def _session(
    socket_factory: Callable[[aiohttp.AddrInfoType], socket.socket] | None,
) -> aiohttp.ClientSession:
    """What all requests go through. Certificates, proxies and credentials come with each of them."""
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


def _left(ends: float) -> float:
    return max(0.0, ends - time.perf_counter())


async def _beginning(stream: aiohttp.StreamReader, size: int) -> bytes:
    body = b""
    while len(body) < size and (piece := await stream.read(size - len(body))):
        body += piece
    return body
