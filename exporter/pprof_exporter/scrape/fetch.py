"""One GET with its phases, bounds and reasons."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from pprof_exporter import __version__
from pprof_exporter.catalog import Phase, Reason
from pprof_exporter.scrape.clock import Clock
from pprof_exporter.scrape.failure import FetchError, Refusal, judge
from pprof_exporter.scrape.resolver import SystemResolver
from pprof_exporter.scrape.stopwatch import Phases, SecondTry, Stopwatch, start, timed_context, trace_config

_HEADERS = {
    "User-Agent": f"pprof-exporter/{__version__}",
    # Go compresses profiles itself; a second compression on the way costs both sides and gains nothing.
    "Accept-Encoding": "identity",
}
_REFUSAL_BYTES = 4096

_TIMED_OUT: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "no answer from the name server"),
    Phase.CONNECT: (Reason.CONNECT, "no TCP connection"),
    Phase.TLS: (Reason.TLS, "the TLS handshake did not end"),
    Phase.FIRST_BYTE: (Reason.TIMEOUT_HEADER, "connected, no reply"),
    Phase.TRANSFER: (Reason.TIMEOUT_BODY, "the reply did not end"),
}
_BROKEN: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "the name did not resolve"),
    Phase.CONNECT: (Reason.CONNECT, "no TCP connection"),
    Phase.TLS: (Reason.TLS, "the TLS handshake failed"),
    Phase.FIRST_BYTE: (Reason.EMPTY, "the connection was closed without a reply"),
    Phase.TRANSFER: (Reason.TRUNCATED, "the connection was cut within the body"),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete 200 reply. `asked_at` is Unix time at which the request began."""

    body: bytes
    phases: Phases
    asked_at: float


class Fetcher:
    """The HTTP client of all targets. A new connection each time: an idle one would be a goroutine in the target."""

    def __init__(self, clock: Clock, *, max_bytes: int) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, force_close=True, ssl=timed_context(), use_dns_cache=False, resolver=SystemResolver()
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            trace_configs=[trace_config()],
            headers=_HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, url: URL, *, query: dict[str, str] | None = None, patience: float, window: float = 0) -> Reply:
        """Fetch within `window + patience` seconds; raises `FetchError` for everything the world does wrong."""
        asked_at = self._clock.now()
        watch = start()
        try:
            async with asyncio.timeout(window + patience):
                body = await self._read(url, query, watch)
        except TimeoutError:
            reason, detail = _TIMED_OUT[watch.phase]
            raise FetchError(reason, f"{detail} within {window + patience:g} s") from None
        except aiohttp.ClientConnectorDNSError as error:
            raise FetchError(Reason.RESOLVE, str(error.os_error)) from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise FetchError(Reason.TLS, str(error)) from error
        except SecondTry as error:
            raise FetchError(*_BROKEN[Phase.FIRST_BYTE]) from error
        except aiohttp.ClientResponseError as error:
            raise FetchError(Reason.TEXT, f"the reply is not HTTP: {error.message}") from error
        except (aiohttp.ClientError, OSError) as error:
            reason, detail = _BROKEN[watch.phase]
            cause = getattr(error, "os_error", error)
            raise FetchError(reason, f"{detail}: {cause}" if str(cause) else detail) from error
        watch.ended = time.perf_counter()
        return Reply(body, watch.phases(window), asked_at)

    async def _read(self, url: URL, query: dict[str, str] | None, watch: Stopwatch) -> bytes:
        async with self._session.get(url, params=query, allow_redirects=False) as response:
            watch.headers = time.perf_counter()
            if response.status != 200:
                raise judge(
                    Refusal(
                        status=response.status,
                        from_pprof=response.headers.get("X-Go-Pprof") == "1",
                        body=await _beginning(response.content, _REFUSAL_BYTES),
                        location=response.headers.get("Location", "") if response.status < 400 else "",
                    )
                )
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > self._max_bytes:
                    raise FetchError(Reason.TOO_LARGE, f"more than the limit of {self._max_bytes} bytes")
            return bytes(body)


async def _beginning(stream: aiohttp.StreamReader, size: int) -> bytes:
    body = b""
    while len(body) < size and (piece := await stream.read(size - len(body))):
        body += piece
    return body
