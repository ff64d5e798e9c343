"""The phases of one request, in seconds."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import aiohttp

from pprof_exporter.catalog import Phase


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds spent in each phase of a fetch; `first_byte` is without the requested window."""

    resolve: float
    connect: float
    tls: float
    first_byte: float
    transfer: float

    def __add__(self, other: Phases) -> Phases:
        """The phases of two requests, one after the other."""
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

    def without(self, window: float) -> Phases:
        """The same without a wait of the handler."""
        return replace(self, first_byte=max(0.0, self.first_byte - window))

    @property
    def until_connected(self) -> float:
        """From the start of the request to the established connection."""
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
    """Timestamps of one request; None: not reached."""

    __slots__ = ("connected", "ended", "headers", "resolved", "resolving", "started", "tls_error", "tls_started")

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.resolving: float | None = None
        self.resolved: float | None = None
        self.tls_started: float | None = None
        self.connected: float | None = None
        self.headers: float | None = None
        self.ended: float | None = None
        self.tls_error: ssl.SSLError | None = None
        """A TLS error after the handshake."""

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
        """The phases of a request that has ended, without its window of `window` seconds."""
        started = self.started
        resolved = self.resolved if self.resolved is not None else started
        connected = self.connected if self.connected is not None else resolved
        tls = self.tls_started if self.tls_started is not None else connected
        headers = self.headers if self.headers is not None else connected
        ended = self.ended if self.ended is not None else headers
        # A trace streams during its window: the part of the window after the first byte is in transfer.
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
    """Records why the server ended TLS: aiohttp drops that error and tries again."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """Read, and record an error."""
        try:
            return super().read(len, buffer)
        except _NOTHING_WRONG:
            raise
        except ssl.SSLError as error:
            watch = _current.get()
            if watch is not None:
                watch.tls_error = error
            raise


_NOTHING_WRONG = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError)


class TimedContext(ssl.SSLContext):
    """A client context that records the start of the handshake, which aiohttp's tracing does not report."""

    sslobject_class = _TimedObject

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Record the start of the handshake. asyncio calls this once the TCP connection is established."""
        watch = _current.get()
        if watch is not None:
            watch.tls_started = time.perf_counter()
        return super().wrap_bio(*args, **kwargs)


def start_stopwatch() -> Stopwatch:
    """Start a stopwatch that the hooks of this task write to."""
    watch = Stopwatch()
    _current.set(watch)
    return watch


@contextlib.contextmanager
def untimed() -> Iterator[None]:
    """Requests in this block are not timed, and do not count as a repetition of the timed request."""
    before = _current.set(None)
    try:
        yield
    finally:
        _current.reset(before)


class RetryRefused(Exception):
    """aiohttp was about to repeat the request."""


async def _refuse_retry(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    # aiohttp repeats a GET whose connection was closed without a reply (ClientSession._request). A target in trouble
    # would have to make a second CPU profile.
    watch = _current.get()
    if watch is not None and watch.connected is not None:
        raise RetryRefused


def trace_config() -> aiohttp.TraceConfig:
    """Hooks that write to the stopwatch of the task; one configuration serves a whole session."""
    hooks = aiohttp.TraceConfig()

    def stamp(name: str) -> Any:
        async def hook(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
            watch = _current.get()
            if watch is not None:
                setattr(watch, name, time.perf_counter())

        return hook

    hooks.on_dns_resolvehost_start.append(stamp("resolving"))
    hooks.on_dns_resolvehost_end.append(stamp("resolved"))
    hooks.on_connection_create_start.append(_refuse_retry)
    hooks.on_connection_create_end.append(stamp("connected"))
    return hooks
