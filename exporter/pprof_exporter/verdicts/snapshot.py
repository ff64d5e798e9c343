"""The snapshot of a target that verdicts use: the latest values that are not too old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pprof_exporter.catalog import Family, Reason
from pprof_exporter.health import KnownBug, Reading, TickAudit
from pprof_exporter.profile import System
from pprof_exporter.store import Change, Comparison


@dataclass(frozen=True, slots=True)
class ProfileSnapshot:
    """The latest profile of one kind. `took` is its latency in seconds, None for a file; `sums` are in base units."""

    took: float | None
    samples: int
    sums: Mapping[Family, float]
    readings: tuple[Reading, ...]

    def reading(self, family: Family) -> float | None:
        """The sum of the readings of a family over its labels; None if none is known."""
        values = [found.value for found in self.readings if found.family is family and found.value is not None]
        return sum(values) if values else None


@dataclass(frozen=True, slots=True)
class FetchSummary:
    """The fetches of one profile or page. `problem` and `reason` are of the latest if it failed; times are seconds."""

    reason: Reason | None
    problem: str
    succeeded: int
    busy: int
    failed: int
    mean_latency: float | None
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """`count` requests with a mean latency of `mean` seconds, and the number of `unanswered` ones."""

    count: int
    mean: float
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """The input of all verdicts. None or empty means not known.

    `profiles` and `fetches` are by profile name. `hangs` says whether connections for the index page and the goroutine
    profile are accepted and never answered. `profile_counts` has the number of profiles of each kind so far. `growth`
    is the growth by function, by family. `profiling` is the share of time in which the target was profiled.
    """

    at: float = 0.0
    """When the snapshot was taken, in Unix time."""
    up: bool | None = None
    down: Reason | None = None
    hangs: Mapping[str, bool] = field(default_factory=dict)
    handler_windows: Mapping[str, float] = field(default_factory=dict)
    """Seconds that the handlers of profiles sleep before they answer."""
    system: System | None = None
    go_version: str = "unknown"
    program: str = "unknown"
    bugs: tuple[KnownBug, ...] = ()
    foreign: tuple[str, ...] = ()
    several: bool = False
    """Whether several processes answer at the address."""
    overloaded: bool = False
    """Whether the exporter is too slow to measure latencies."""
    changes: Mapping[Change, float] = field(default_factory=dict)
    """Seconds since each kind of change was seen."""
    changed: Mapping[Change, tuple[str, str]] = field(default_factory=dict)
    """What the latest event changed, with the values before and after."""
    fingerprinted: bool = False
    comparison: Comparison | None = None
    profiles: Mapping[str, ProfileSnapshot] = field(default_factory=dict)
    fetches: Mapping[str, FetchSummary] = field(default_factory=dict)
    audit: TickAudit | None = None
    audit_processors: float | None = None
    audit_unsupported: bool = False
    canary_at_rest: LatencySummary | None = None
    canary_profiled: LatencySummary | None = None
    differences: Mapping[str, float] = field(default_factory=dict)
    profiler_memory: int | None = None
    contention: Mapping[str, bool | None] = field(default_factory=dict)
    profile_counts: Mapping[str, int] = field(default_factory=dict)
    growth: Mapping[Family, Mapping[str, float]] = field(default_factory=dict)
    profiling: float | None = None
    budget: float | None = None
