"""The CPU time of a process, and its CPU load."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.averages import mean_of
from pprof_exporter.clock import Clock

# A service needs some CPU time in reserve, to answer quickly.
_HIGH_LOAD = 0.8
# CPU times on metrics pages have steps of 10 ms (USER_HZ), more than most pages cost: only a mean shows the cost. The
# mean of 20 is right within 1 or 2 ms.
_ESTIMATES = 20
# Once enough is known, every so many CPU profiles.
_ESTIMATE_EVERY = 10
# A target that uses more of a core hides what one page costs, which then matters to nobody.
_QUIET = 0.5


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


def use_between(before: CpuTime | None, after: CpuTime | None, window: float, cost: float = 0) -> CpuUse | None:
    """The CPU time used within a window of `window` seconds, from the readings before and after it.

    `cost` is what one reading costs the target: the end of the first and the beginning of the second lie between them.

    None if a reading is missing, the sources differ, or the process restarted in between. Up to Go 1.25 the reply comes
    0.1 to 0.2 s after sampling has ended (runtime/pprof.profileWriter), so the time that the readings cover beyond the
    window is subtracted in proportion.
    """
    if before is None or after is None or before.source is not after.source or before.started != after.started:
        return None
    seconds, elapsed = after.seconds - before.seconds, after.at - before.at
    if seconds < 0 or elapsed < window:
        return None
    load = seconds / elapsed / after.processors if after.processors else None
    return CpuUse(max(0.0, seconds - cost) * window / elapsed, after.source, load)


class ReadingCost:
    """The CPU time that one reading of the metrics page costs the target, learned from two readings in a row."""

    def __init__(self) -> None:
        self._estimates: deque[float] = deque(maxlen=_ESTIMATES)
        self._profiles = 0
        self._busy: float | None = None

    @property
    def seconds(self) -> float | None:
        """The mean of the latest estimates, never below 0; None until there are enough."""
        if len(self._estimates) < _ESTIMATES:
            return None
        return max(0.0, mean_of(self._estimates))

    def is_due(self) -> bool:
        """Whether this CPU profile begins with two readings; asked once for each."""
        self._profiles += 1
        if self._busy is None or self._busy > _QUIET:
            return False
        return len(self._estimates) < _ESTIMATES or self._profiles % _ESTIMATE_EVERY == 0

    def used(self, use: CpuUse | None, window: float) -> None:
        """Take in what the target used during its latest CPU profile."""
        self._busy = use.seconds / window if use else None

    def record(self, first: CpuTime | None, second: CpuTime | None) -> None:
        """Take in two readings in a row, less what the target uses anyway in so much time."""
        if first is None or second is None or self._busy is None:
            return
        if not first.source is second.source is CpuSource.METRICS or first.started != second.started:
            return
        self._estimates.append(second.seconds - first.seconds - self._busy * (second.at - first.at))

    def reset(self) -> None:
        """Forget what another process taught."""
        self._estimates.clear()
        self._busy = None


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
