"""Where the time of one request went."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp

from pprof_exporter.catalog import Phase


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds spent in each phase of a fetch; `first_byte` is without the window that was asked for."""

    resolve: float
    connect: float
    tls: float
    first_byte: float
    transfer: float

    def __add__(self, other: Phases) -> Phases:
        """What two requests took that were made one after the other."""
        return Phases(
            self.resolve + other.resolve,
            self.connect + other.connect,
            self.tls + other.tls,
            self.first_byte + other.first_byte,
            self.transfer + other.transfer,
        )

    @property
    def total(self) -> float:
        """From the start of the request to its last byte, less the window."""
        return self.resolve + self.connect + self.tls + self.first_byte + self.transfer

    @property
    def until_connected(self) -> float:
        """From the start of the request to the connection over which it went."""
        return self.resolve + self.connect + self.tls

    def items(self) -> tuple[tuple[Phase, float], ...]:
        """Every phase with its seconds, in order."""
        return (
            (Phase.RESOLVE, self.resolve),
            (Phase.CONNECT, self.connect),
            (Phase.TLS, self.tls),
            (Phase.FIRST_BYTE, self.first_byte),
            (Phase.TRANSFER, self.transfer),
        )


class Stopwatch:
    """Stamps of one request; a stamp that is None was not reached."""

    __slots__ = ("alert", "connected", "ended", "headers", "resolved", "resolving", "started", "tls_started")

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.resolving: float | None = None
        self.resolved: float | None = None
        self.tls_started: float | None = None
        self.connected: float | None = None
        self.headers: float | None = None
        self.ended: float | None = None
        self.alert: ssl.SSLError | None = None
        """What went wrong with TLS after the handshake."""

    @property
    def phase(self) -> Phase:
        """The phase that the request is in."""
        if self.headers is not None:
            return Phase.TRANSFER
        if self.connected is not None:
            return Phase.FIRST_BYTE
        if self.tls_started is not None:
            return Phase.TLS
        if self.resolving is not None and self.resolved is None:
            return Phase.RESOLVE
        return Phase.CONNECT

    def phases(self, window: float) -> Phases:
        """The phases of a request that has ended; `window` seconds of waiting were asked for."""
        started = self.started
        resolved = self.resolved if self.resolved is not None else started
        connected = self.connected if self.connected is not None else resolved
        tls = self.tls_started if self.tls_started is not None else connected
        headers = self.headers if self.headers is not None else connected
        ended = self.ended if self.ended is not None else headers
        # A trace streams while its window runs, so what of the window the first byte did not wait for is in transfer.
        waited = headers - connected
        in_first_byte = min(window, waited)
        return Phases(
            resolve=resolved - (self.resolving if self.resolving is not None else resolved),
            connect=tls - resolved,
            tls=connected - tls,
            first_byte=waited - in_first_byte,
            transfer=max(0.0, ended - headers - (window - in_first_byte)),
        )


_current: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


class _TimedObject(ssl.SSLObject):
    """Notes why the other side ended TLS: aiohttp lets go of that, and tries again."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Read as ever."""
        try:
            return super().read(len, buffer)
        except _NOTHING_WRONG:
            raise
        except ssl.SSLError as error:
            watch = _current.get()
            if watch is not None:
                watch.alert = error
            raise


_NOTHING_WRONG = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError)


class TimedContext(ssl.SSLContext):
    """A client context that stamps the start of the handshake, which aiohttp's tracing does not tell."""

    sslobject_class = _TimedObject

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Stamp, then go on as ever; asyncio calls this once the TCP connection stands."""
        watch = _current.get()
        if watch is not None:
            watch.tls_started = time.perf_counter()
        return super().wrap_bio(*args, **kwargs)


def start_stopwatch() -> Stopwatch:
    """A running stopwatch that the hooks of this task write to."""
    watch = Stopwatch()
    _current.set(watch)
    return watch


@contextlib.contextmanager
def untimed() -> Iterator[None]:
    """For requests beside the one that is timed: they stamp no stopwatch, and are no second try."""
    before = _current.set(None)
    try:
        yield
    finally:
        _current.reset(before)


class RetryRefused(Exception):
    """aiohttp was about to send the request again."""


async def _refuse_second_try(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    # aiohttp repeats a GET whose connection was closed without a reply (ClientSession._request), which for a CPU
    # profile would ask a target that is in trouble for another one.
    watch = _current.get()
    if watch is not None and watch.connected is not None:
        raise RetryRefused


def trace_config() -> aiohttp.TraceConfig:
    """Hooks that stamp the running stopwatch of the task; one configuration serves a whole session."""
    hooks = aiohttp.TraceConfig()

    def stamp(name: str) -> Any:
        async def hook(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            watch = _current.get()
            if watch is not None:
                setattr(watch, name, time.perf_counter())

        return hook

    hooks.on_dns_resolvehost_start.append(stamp("resolving"))
    hooks.on_dns_resolvehost_end.append(stamp("resolved"))
    hooks.on_connection_create_start.append(_refuse_second_try)
    hooks.on_connection_create_end.append(stamp("connected"))
    return hooks
