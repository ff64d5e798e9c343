"""One GET, with its phases, within bounds; each failure has a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.clock import Clock
from pprof_exporter.config import DEFAULT_CLIENT, ClientSettings, Params
from pprof_exporter.descriptors import NO_LIMIT, DescriptorLimit
from pprof_exporter.exhaustion import OwnTroubles, exhausted_resource
from pprof_exporter.scrape.client.body import Excerpt, ReplyBody
from pprof_exporter.scrape.client.bytes_in_flight import BytesInFlight, Lease
from pprof_exporter.scrape.client.connection import REDIRECT_STATUSES, Connection
from pprof_exporter.scrape.client.content_encoding import decoded_beginning, encoding_of
from pprof_exporter.scrape.client.credentials import ClientPool, ConfiguredClient, Credentials
from pprof_exporter.scrape.client.dialer import Dialer, ProxyRefused, SocketFactory, literal_address
from pprof_exporter.scrape.client.errors import ErrorReply, ExporterExhausted, FetchError, NoRoom, classify_response
from pprof_exporter.scrape.client.http_client import HttpClient, HttpReply, HttpRequest
from pprof_exporter.scrape.client.name_server import no_answer
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.client.reply_head import ReplyHead
from pprof_exporter.scrape.client.reserved_addresses import RedirectRefused
from pprof_exporter.scrape.client.room import Room
from pprof_exporter.scrape.client.transport_errors import (
    TRANSPORT_ERRORS,
    forget_frames,
    own_trouble,
    transport_error,
)

_REFUSAL_BYTES = 4096
# Replies of the largest size at a time, for a fetcher without a bound of others.
_UNSHARED = 4
_PROXY_AUTHENTICATION_REQUIRED = 407
# Seconds. Servers end a reply that nobody reads, as http.Server.WriteTimeout says (net/http), so one that waited this
# long for room and then ended may have been whole.
_MAY_BE_CUT = 1.0
# Memory and threads can run out within a request.
_CAUGHT = (*TRANSPORT_ERRORS, MemoryError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete 200 reply. `asked_at` is the Unix time at which the request began."""

    body: bytes
    phases: Phases
    asked_at: float
    content_type: str = ""
    received: int | None = None
    """Bytes of the body on the wire; None: as many as it has, since all of it is kept and came as it is."""
    held_back: float = 0
    """Seconds in which the exporter had no room to receive it."""
    lease: Lease | None = field(default=None, repr=False, compare=False)
    """The memory that it takes, until the last reference to it is gone."""

    @property
    def size(self) -> int:
        """Bytes of the body on the wire."""
        return len(self.body) if self.received is None else self.received


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
        socket_factory: SocketFactory | None = None,
        descriptors: DescriptorLimit = NO_LIMIT,
        troubles: OwnTroubles | None = None,
        in_flight: BytesInFlight | None = None,
    ) -> None:
        """`socket_factory` creates the socket of each connection attempt. It refuses an address with an `OSError`.

        `troubles` counts what the exporter lacks itself; None: it is only in the errors. `in_flight` bounds the memory
        of all replies together; None: a bound of its own, of a few of the largest.
        """
        self.max_bytes = max_bytes
        self.in_flight = in_flight or BytesInFlight(_UNSHARED * max_bytes, wire=max_bytes, inflated=max_bytes)
        self.dialer = Dialer(socket_factory, descriptors)
        self._troubles = troubles
        self._clock = clock
        self._clients = ClientPool(clock)
        self._plain = self._clients.get(DEFAULT_CLIENT)
        self._http = HttpClient(self.dialer, clock)

    def bind(self, client: ClientSettings, params: Params = ()) -> Getter:
        """A getter that applies these settings, and adds these parameters to those of each request."""
        if client == DEFAULT_CLIENT and not params:
            return self
        return _Bound(partial(self._get, self._clients.get(client)), params)

    def expect(self, url: URL) -> None:
        """Announce a target: how names of others resolve tells if one fails alone."""
        host = url.raw_host or ""
        if host and not literal_address(host, 0):
            self.dialer.name_server.expect(host)

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
        """Send the request, and count an error for lack of something in the exporter. Raises `FetchError`."""
        try:
            return await self._authorized(client, url, query, bounds)
        except FetchError as error:
            lacking = _lacking(error)
            if lacking is None:
                raise
            resource, cause = lacking
            # Whatever refers to the error would be referred to by its traceback, see below.
            forget_frames(error)
        if self._troubles is not None:
            self._troubles.count(resource, cause)
        raise ExporterExhausted(resource, cause, counted=self._troubles is not None)

    async def _authorized(self, client: ConfiguredClient, url: URL, query: Params, bounds: _Bounds) -> Reply:
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
        lease = Lease(self.in_flight)
        room = Room(lease, body, connection.stopwatch, self.in_flight.most)
        head: ReplyHead | None = None
        allowed = bounds.window + bounds.timeout
        unanswered = False
        try:
            async with asyncio.timeout(allowed) as room.deadline:
                while (head := await self._request(client, used, request, connection, room)) is None:
                    request = _redirected(client, used, connection)
                    room.stopwatch = connection.stopwatch
            connection.stopwatch.ended = time.perf_counter()
            kept = await room.take()
        except FetchError as error:
            failure = error
            forget_frames(error)
        except RedirectRefused as error:
            failure = FetchError(Reason.HTTP_3XX, f"{connection.latest_redirect}, which is not followed: {error}")
            forget_frames(error)
        except _CAUGHT as error:
            watch = connection.stopwatch
            own = own_trouble(error, watch, allowed)
            if own is None and not isinstance(error, TRANSPORT_ERRORS):
                raise
            failure = own or transport_error(error, watch, allowed)
            unanswered = failure.reason is Reason.RESOLVE and isinstance(error, OSError) and no_answer(error)
            forget_frames(error)
        else:
            phases = connection.phases(bounds.window)
            asked_at, received = connection.asked_at, body.received
            return Reply(kept, phases, asked_at, head.content_type, received, lease.waited, lease)
        finally:
            # It refers to the task, and a cancelled task to its error, which refers to this frame.
            room.deadline = None
        body.clear()
        lease.release()
        failure = await self._or_own(failure, connection, lease.waited, unanswered=unanswered)
        # Raised here, so that it does not refer to the error that it explains, nor to what that refers to.
        try:
            if isinstance(failure, ExporterExhausted | NoRoom):
                raise failure
            raise FetchError(failure.reason, used.hide(failure.detail), failure.status, failure.hint)
        finally:
            # An error that is raised refers to this frame.
            del failure

    async def _or_own(
        self, failure: FetchError, connection: Connection, waited: float, *, unanswered: bool
    ) -> FetchError:
        """The failure, or what the exporter lacked, if that may be its cause."""
        if unanswered:
            seconds = time.perf_counter() - connection.stopwatch.started
            if await self.dialer.name_server.fails_for_all(connection.url.raw_host or "", seconds):
                return ExporterExhausted(ExhaustedResource.RESOLVER, failure.detail)
        if failure.reason is Reason.TRUNCATED and waited >= _MAY_BE_CUT:
            return NoRoom(self.in_flight.most)
        return failure

    async def _request(
        self, client: ConfiguredClient, used: Credentials, request: HttpRequest, connection: Connection, room: Room
    ) -> ReplyHead | None:
        """Receive the body. Returns the head of the reply, or None after a redirect. Raises `FetchError`."""
        with await self._http.send(request, connection.stopwatch) as reply:
            head = reply.head
            location = head.get("location") if 300 <= head.status < 400 else ""
            if client.follows_redirects and head.status in REDIRECT_STATUSES and location:
                connection.follow_redirect(location, head.status)
                return None
            if head.status == _PROXY_AUTHENTICATION_REQUIRED and request.route.proxy is not None:
                raise ProxyRefused(head)
            if head.status != 200:
                raise await _refusal(reply, location, used)
            room.body.encoding = encoding_of(head.headers.get("content-encoding", ()))
            await reply.read(room.body.add, room.ready)
            return head


async def _refusal(reply: HttpReply, location: str, used: Credentials) -> FetchError:
    head = reply.head
    beginning = await reply.beginning(_REFUSAL_BYTES)
    text = decoded_beginning(beginning, head.headers.get("content-encoding", ()), _REFUSAL_BYTES)
    return classify_response(
        ErrorReply(
            status=head.status,
            from_pprof=head.get("x-go-pprof") == "1",
            # Hidden before it is quoted: of a secret that is cut, the rest would not be found.
            body=used.hide(text.decode("utf-8", "replace")).encode(),
            status_text=head.status_text,
            location=location,
        )
    )


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


def _lacking(error: FetchError) -> tuple[ExhaustedResource, str] | None:
    """What the exporter lacked, if that is the error: a secret or certificate may not have been readable for it."""
    if isinstance(error, ExporterExhausted):
        return error.resource, error.cause
    resource = exhausted_resource(error) if error.status is None else None
    return None if resource is None else (resource, error.detail)
