"""CPU time that a process used, and how busy it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.clock import Clock
from pprof_exporter.profile import TargetMetrics

# A service needs some of its processors for itself, to answer quickly.
_HIGH_LOAD = 0.8


class CpuSource(StrEnum):
    """Who told the CPU time."""

    METRICS = "metrics"
    """The metrics page of the target."""
    PROCESS = "process"
    """The operating system, since the target listens on this machine."""


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU seconds since the process started. `at` is steady time in seconds, `started` when the process did."""

    seconds: float
    at: float
    started: float | None
    source: CpuSource
    processors: float | None = None
    """How many the process may use at once."""
    page: TargetMetrics | None = None


@dataclass(frozen=True, slots=True)
class CpuUse:
    """CPU seconds used within a window, as far as they can be compared with the samples of that window.

    `load` is their share of what all processors that the process may use had to give; None: unknown.
    """

    seconds: float
    source: CpuSource
    load: float | None = None


def use_between(before: CpuTime | None, after: CpuTime | None, window: float) -> CpuUse | None:
    """What was used within `window` seconds between two readings that enclose it.

    None if either is missing, they come from different sources, or the process restarted meanwhile. Up to Go 1.25 the
    reply comes 0.1 to 0.2 s after sampling has ended (runtime/pprof.profileWriter), so what the readings cover beyond
    the window is taken off in proportion.
    """
    if before is None or after is None or before.source is not after.source or before.started != after.started:
        return None
    seconds, elapsed = after.seconds - before.seconds, after.at - before.at
    if seconds < 0 or elapsed < window:
        return None
    return CpuUse(
        seconds * window / elapsed,
        after.source,
        seconds / elapsed / after.processors if after.processors else None,
    )


class CpuLoad:
    """How busy the target was within its latest CPU profile."""

    def __init__(self, clock: Clock, valid: float) -> None:
        """`valid` is for how many seconds that is believed to be so."""
        self._clock = clock
        self._valid = valid
        self._latest: tuple[float, float] | None = None

    def record(self, load: float | None) -> None:
        """Take in `CpuUse.load`."""
        self._latest = None if load is None else (self._clock.steady(), load)

    def is_high(self) -> bool:
        """Whether next to nothing of its processors was left; False where that is not known."""
        if self._latest is None or self._clock.steady() - self._latest[0] > self._valid:
            return False
        return self._latest[1] > _HIGH_LOAD
