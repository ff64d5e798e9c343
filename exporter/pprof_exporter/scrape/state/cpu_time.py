"""The CPU time of a process, and its CPU load."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.clock import Clock

# A service needs some CPU time in reserve, to answer quickly.
_HIGH_LOAD = 0.8


class CpuSource(StrEnum):
    """The source of the CPU time."""

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
    """How many processors the process may use at once."""


@dataclass(frozen=True, slots=True)
class CpuUse:
    """CPU seconds used within a window, comparable with the samples of that window.

    `load` is their share of the capacity of all processors that the process may use; None: unknown.
    """

    seconds: float
    source: CpuSource
    load: float | None = None


def use_between(before: CpuTime | None, after: CpuTime | None, window: float) -> CpuUse | None:
    """The CPU time used within a window of `window` seconds, from the readings before and after it.

    None if a reading is missing, the sources differ, or the process restarted in between. Up to Go 1.25 the reply comes
    0.1 to 0.2 s after sampling has ended (runtime/pprof.profileWriter), so the time that the readings cover beyond the
    window is subtracted in proportion.
    """
    if before is None or after is None or before.source is not after.source or before.started != after.started:
        return None
    seconds, elapsed = after.seconds - before.seconds, after.at - before.at
    if seconds < 0 or elapsed < window:
        return None
    return CpuUse(
        seconds * window / elapsed, after.source, seconds / elapsed / after.processors if after.processors else None
    )


class CpuLoad:
    """The CPU load of the target during its latest CPU profile."""

    def __init__(self, clock: Clock, valid: float) -> None:
        """`valid` is the number of seconds for which a load counts as current."""
        self._clock = clock
        self._valid = valid
        self._latest: tuple[float, float] | None = None

    def record(self, load: float | None) -> None:
        """Take in `CpuUse.load`."""
        self._latest = None if load is None else (self._clock.steady(), load)

    def is_high(self) -> bool:
        """Whether the processors of the target were almost fully used; False if unknown."""
        if self._latest is None or self._clock.steady() - self._latest[0] > self._valid:
            return False
        return self._latest[1] > _HIGH_LOAD
