"""One GET, with its phases, within bounds; each failure has a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.config import DEFAULT_CLIENT, ClientSettings, Params
from pprof_exporter.scrape.client.body import Excerpt, ReplyBody
from pprof_exporter.scrape.client.connection import REDIRECT_STATUSES, Connection
from pprof_exporter.scrape.client.credentials import ClientPool, ConfiguredClient, Credentials
from pprof_exporter.scrape.client.dialer import Dialer, SocketFactory
from pprof_exporter.scrape.client.errors import ErrorReply, FetchError, classify_response
from pprof_exporter.scrape.client.http_client import HttpClient, HttpRequest
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.client.reserved_addresses import RedirectRefused
from pprof_exporter.scrape.client.transport_errors import TRANSPORT_ERRORS, forget_frames, transport_error

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

    def __init__(self, clock: Clock, *, max_bytes: int, socket_factory: SocketFactory | None = None) -> None:
        """`socket_factory` creates the socket of each connection attempt. It refuses an address with an `OSError`."""
        self.max_bytes = max_bytes
        self.dialer = Dialer(socket_factory)
        self._clock = clock
        self._clients = ClientPool(clock)
        self._plain = self._clients.get(DEFAULT_CLIENT)
        self._http = HttpClient(self.dialer)

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
        used = await client.credentials(self._http, url, bounds.timeout)
        asked = url.with_query(query) if query else url
        try:
            return await self._follow(client, used, asked, bounds.until(ends))
        except FetchError as error:
            if error.status != 401 or not client.discard_token(used):
                raise
        used = await client.credentials(self._http, url, _remaining(ends))
        return await self._follow(client, used, asked, bounds.until(ends))

    async def _follow(self, client: ConfiguredClient, used: Credentials, url: URL, bounds: _Bounds) -> Reply:
        # Before the stopwatch starts, so that reading certificates does not count as connecting.
        route = client.route(url, same_origin=True)
        connection = Connection(url, self._clock.now())
        if client.follows_redirects:
            route = replace(route, guard=connection.guard)
        request = HttpRequest(connection.url, route, used.headers)
        body = ReplyBody(self.max_bytes, bounds.excerpt)
        allowed = bounds.window + bounds.timeout
        try:
            async with asyncio.timeout(allowed):
                while (content_type := await self._request(client, request, connection, body)) is None:
                    request = _redirected(client, used, connection)
        except FetchError as error:
            failure = FetchError(error.reason, error.detail, error.status)
        except RedirectRefused as error:
            failure = FetchError(Reason.HTTP_3XX, f"{connection.latest_redirect}, which is not followed: {error}")
            forget_frames(error)
        except TRANSPORT_ERRORS as error:
            failure = transport_error(error, connection.stopwatch, allowed)
            forget_frames(error)
        else:
            connection.stopwatch.ended = time.perf_counter()
            kept, dropped = body.take()
            return Reply(kept, connection.phases(bounds.window), connection.asked_at, content_type, dropped)
        body.clear()
        # Raised here, so that it does not refer to the error that it explains, nor to what that refers to.
        raise FetchError(failure.reason, used.hide(failure.detail), failure.status)

    async def _request(
        self, client: ConfiguredClient, request: HttpRequest, connection: Connection, body: ReplyBody
    ) -> str | None:
        """Receive the body. Returns its content type, or None after a redirect. Raises `FetchError`."""
        with await self._http.send(request, connection.stopwatch) as reply:
            head = reply.head
            location = head.get("location") if 300 <= head.status < 400 else ""
            if client.follows_redirects and head.status in REDIRECT_STATUSES and location:
                connection.follow_redirect(location, head.status)
                return None
            if head.status != 200:
                raise classify_response(
                    ErrorReply(
                        status=head.status,
                        from_pprof=head.get("x-go-pprof") == "1",
                        body=await reply.beginning(_REFUSAL_BYTES),
                        location=location,
                    )
                )
            await reply.read(body.add)
            return head.content_type


def _redirected(client: ConfiguredClient, used: Credentials, connection: Connection) -> HttpRequest:
    """The request after a redirect. Credentials stay with their host. Raises `FetchError`."""
    route = client.route(connection.url, same_origin=connection.same_origin)
    route = replace(route, guard=connection.guard)
    return HttpRequest(connection.url, route, used.headers if connection.same_origin else ())


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Seconds that a request may take, and the parts of its body that are kept."""

    timeout: float
    window: float
    excerpt: Excerpt | None

    def until(self, ends: float) -> _Bounds:
        """The same for the rest of the time."""
        return _Bounds(_remaining(ends), self.window, self.excerpt)


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


def _remaining(ends: float) -> float:
    return max(0.0, ends - time.perf_counter())
