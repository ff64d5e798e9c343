"""The phases of one request, in seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

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

    __slots__ = (
        "connected",
        "ended",
        "headers",
        "held_back",
        "resolved",
        "resolving",
        "started",
        "tls_started",
        "to_proxy",
    )

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again: the request is sent once more, on another connection."""
        self.started = time.perf_counter()
        self.to_proxy = False
        """Whether the connection to the proxy is being made: until it stands, nothing is known of the target."""
        self.resolving: float | None = None
        self.resolved: float | None = None
        self.tls_started: float | None = None
        self.connected: float | None = None
        self.headers: float | None = None
        self.ended: float | None = None
        self.held_back = 0.0
        """Seconds in which the exporter did not read the reply. They are no time of the target."""

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
            transfer=max(0.0, ended - headers - (window - in_first_byte) - self.held_back),
        )
