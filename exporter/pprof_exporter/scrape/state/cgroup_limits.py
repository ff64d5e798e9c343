"""The limits that cgroups set for a process.

A process is bound by its cgroup and by every ancestor of it. In a container with a cgroup namespace the ancestors are
not visible, so a tighter limit of them stays unknown.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pprof_exporter.scrape.state.freshness import drop_older

# Seconds. As long as the alert looks back.
_RECENT = 1800.0


@dataclass(frozen=True, slots=True)
class CpuBandwidth:
    """One cgroup with a limit on CPU time, and its counters since it was made. They cover all of its processes."""

    path: str
    processors: float
    """CPU seconds that it may use a second."""
    periods: int
    """Periods, usually of 100 ms, in which it had something to run."""
    throttled_periods: int
    """Periods in which it used up its share and had to wait for the next."""
    throttled_seconds: float


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """The limits of the cgroups of a process. None: no visible cgroup sets one."""

    memory_limit: int | None
    """Bytes: the least of the cgroup and its ancestors."""
    bandwidths: tuple[CpuBandwidth, ...]
    """Every cgroup that limits its CPU time, the innermost first."""

    @property
    def processors(self) -> float | None:
        """The least limit on CPU time, in processors."""
        return min((bandwidth.processors for bandwidth in self.bandwidths), default=None)


@dataclass(frozen=True, slots=True)
class Throttling:
    """Periods in which a process had something to run, those in which it had to wait, and for how long."""

    periods: int = 0
    throttled_periods: int = 0
    throttled_seconds: float = 0.0

    def __add__(self, other: Throttling) -> Throttling:
        return Throttling(
            self.periods + other.periods,
            self.throttled_periods + other.throttled_periods,
            self.throttled_seconds + other.throttled_seconds,
        )


class CgroupState:
    """The latest limits of a target, and its throttling since the exporter first read them.

    Of several cgroups with a limit, each difference between two readings is that of the most throttled one.
    """

    def __init__(self) -> None:
        self.latest: CgroupLimits | None = None
        self.total = Throttling()
        self._recent: deque[tuple[float, Throttling]] = deque()

    def begin_process(self) -> None:
        """Forget the limits of the process before; the total stays."""
        self.latest = None
        self._recent.clear()

    def record(self, limits: CgroupLimits | None, at: float) -> None:
        """Take in the limits that were read at `at` (Unix time); None: unknown now."""
        before = {} if self.latest is None else {one.path: one for one in self.latest.bandwidths}
        self.latest = limits
        differences = [
            _difference(before[bandwidth.path], bandwidth)
            for bandwidth in (limits.bandwidths if limits else ())
            if bandwidth.path in before
        ]
        if differences:
            worst = max(differences, key=lambda one: one.throttled_periods)
            self.total += worst
            self._recent.append((at, worst))
        drop_older(self._recent, at - _RECENT)

    @property
    def has_limit(self) -> bool:
        """Whether the process has had a limit on CPU time, so that the total means something."""
        return self.total != Throttling() or bool(self.latest and self.latest.bandwidths)

    @property
    def recent(self) -> Throttling:
        """The throttling of the last half hour."""
        return sum((one for _, one in self._recent), Throttling())


def _difference(before: CpuBandwidth, after: CpuBandwidth) -> Throttling:
    """The throttling between two readings; nothing if the counters fell: the cgroup was made again."""
    if after.periods < before.periods or after.throttled_periods < before.throttled_periods:
        return Throttling()
    return Throttling(
        after.periods - before.periods,
        after.throttled_periods - before.throttled_periods,
        max(0.0, after.throttled_seconds - before.throttled_seconds),
    )
