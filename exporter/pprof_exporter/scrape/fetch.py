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
from pprof_exporter.config import PLAIN, ClientSettings, Params
from pprof_exporter.scrape.broken import broken, timed_out
from pprof_exporter.scrape.clients import Client, Clients, Pass
from pprof_exporter.scrape.clock import Clock
from pprof_exporter.scrape.failure import FetchError, Refusal, judge
from pprof_exporter.scrape.resolver import SystemResolver
from pprof_exporter.scrape.stopwatch import Phases, SecondTry, trace_config
from pprof_exporter.scrape.trip import REDIRECTS, Trip

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

    async def get(self, url: URL, *, query: dict[str, str] | None = None, patience: float, window: float = 0) -> Reply:
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
        self._clients = Clients(clock)
        self._plain = self._clients.of(PLAIN)
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
        if client == PLAIN and not params:
            return self
        return _Bound(partial(self._get, self._clients.of(client)), params)

    async def get(self, url: URL, *, query: dict[str, str] | None = None, patience: float, window: float = 0) -> Reply:
        """Fetch within `window + patience` seconds; raises `FetchError` for everything the world does wrong."""
        return await self._get(self._plain, url, tuple((query or {}).items()), patience, window)

    async def _get(self, client: Client, url: URL, query: Params, patience: float, window: float) -> Reply:
        """Once, or twice where a token has to be renewed."""
        ends = time.perf_counter() + patience
        used = await client.credentials(self._session, url, patience)
        try:
            return await self._travel(client, used, url.with_query(query) if query else url, _left(ends), window)
        except FetchError as error:
            if error.status != 401 or not client.renew(used):
                raise
        used = await client.credentials(self._session, url, _left(ends))
        return await self._travel(client, used, url.with_query(query) if query else url, _left(ends), window)

    async def _travel(self, client: Client, used: Pass, url: URL, patience: float, window: float) -> Reply:
        # Now, so that to read certificates is not taken for the time that a connection needs.
        client.context(url, at_home=True)
        trip = Trip(url, self._clock.now())
        try:
            async with asyncio.timeout(window + patience):
                while (found := await self._visit(client, used, trip)) is None:
                    pass
        except FetchError as error:
            raise FetchError(error.reason, used.hide(error.detail), error.status) from None
        except TimeoutError:
            raise timed_out(trip.watch, window + patience) from None
        except (aiohttp.ClientError, OSError, SecondTry) as error:
            told = broken(error, trip.watch)
            raise FetchError(told.reason, used.hide(told.detail)) from error
        trip.watch.ended = time.perf_counter()
        body, content_type = found
        return Reply(body, trip.phases(window), trip.asked_at, content_type)

    async def _visit(self, client: Client, used: Pass, trip: Trip) -> tuple[bytes, str] | None:
        """Body and type of the reply, or None where `trip` has to go on to another URL. Raises `FetchError`."""
        url, watch = trip.url, trip.watch
        async with self._session.get(
            url,
            headers=used.headers if trip.at_home else None,
            ssl=client.context(url, at_home=trip.at_home),
            server_hostname=client.server_name(at_home=trip.at_home),
            proxy=client.proxy(url),
            allow_redirects=False,
        ) as response:
            watch.headers = time.perf_counter()
            location = response.headers.get("Location", "") if 300 <= response.status < 400 else ""
            if client.follows_redirects and response.status in REDIRECTS and location:
                trip.go_on(location, response.status)
                return None
            if response.status != 200:
                raise judge(
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

    async def get(self, url: URL, *, query: dict[str, str] | None = None, patience: float, window: float = 0) -> Reply:
        own = query or {}
        besides = tuple((name, value) for name, value in self._params if name not in own)
        return await self._get(url, (*own.items(), *besides), patience, window)


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
