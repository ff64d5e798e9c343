"""The snapshot of a target that verdicts use: the latest values that are not too old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pprof_exporter.catalog import Family, Reason
from pprof_exporter.health import KnownBug, Reading, TickAudit
from pprof_exporter.profile import System
from pprof_exporter.scrape.state.cgroup_limits import Throttling
from pprof_exporter.scrape.state.counters import LatestFailure
from pprof_exporter.scrape.state.gc_state import Collections, GcCpu
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.store import Change, Comparison

ENOUGH_PROFILES = 3
"""Profiles that a median takes: a machine without time for it makes one of them odd."""


@dataclass(frozen=True, slots=True)
class ProfileSnapshot:
    """The latest profile of one kind. `took` is its latency in seconds, None for a file; `sums` are in base units."""

    took: float | None
    samples: int
    sums: Mapping[Family, float]
    readings: tuple[Reading, ...]
    earlier: tuple[ProfileSnapshot, ...] = ()
    """Up to four profiles of the same process before this one."""

    @property
    def latest_few(self) -> tuple[ProfileSnapshot, ...]:
        """Up to five profiles, this one the last."""
        return (*self.earlier, self)

    def reading(self, family: Family) -> float | None:
        """The sum of the readings of a family over its labels; None if none is known."""
        values = [found.value for found in self.readings if found.family is family and found.value is not None]
        return sum(values) if values else None


@dataclass(frozen=True, slots=True)
class FetchSummary:
    """The fetches of one profile or page. `failure` is that of the latest, None if it succeeded; times are seconds."""

    failure: LatestFailure | None
    succeeded: int
    busy: int
    failed: int
    mean_latency: float | None
    """Over all successful fetches."""
    median_latency: float | None = None
    """Of the latest three to five; None with fewer."""
    overdue: int = 0
    lately: tuple[Reason | None, ...] | None = None
    """How the fetches of about an hour ended, oldest first; None where each is made once, so that one says all."""
    now_and_then: bool = False
    """Whether `failure` is of an earlier fetch, and the latest succeeded."""
    undecided: bool = False
    """Whether the latest timed out, and a longer try is still to show if the handler hangs or sleeps."""

    @property
    def reason(self) -> Reason | None:
        """The reason of `failure`."""
        return self.failure.reason if self.failure else None


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """The latest `count` requests with a median of `median` seconds, and the number of `unanswered` ones.

    The median, since one late reply on a busy machine doubles the mean of so few.
    """

    count: int
    median: float
    unanswered: int = 0
    latest: float = 0.0
    """The median of the latest five only: as many as decide whether a profile is slow."""


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
    restarts: int = 0
    """Restarts of the last hour."""
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
    audit_failure: str = ""
    """Why the latest audit failed, and "" without a failure."""
    audit_off: str = ""
    """Why no audit is ever made, and "" where audits are made."""
    canary_at_rest: LatencySummary | None = None
    canary_profiled: LatencySummary | None = None
    differences: Mapping[str, float] = field(default_factory=dict)
    """Parts of the latency of profiles by cause: the median of several differences."""
    profiler_memory: int | None = None
    contention: Mapping[str, bool | None] = field(default_factory=dict)
    waiting_for_locks: float | None = None
    """Seconds per second that goroutines waited for locks, lately."""
    waited_since_start: float | None = None
    """The same in the mean since the process started."""
    lock_holders: tuple[str, ...] = ()
    """Functions that kept others waiting for a lock the longest since the start."""
    gc_cpu: GcCpu = field(default_factory=GcCpu)
    collections: Collections | None = None
    gogc: float | None = None
    processors: float | None = None
    cpu_limit: float | None = None
    throttling: Throttling = field(default_factory=Throttling)
    profile_counts: Mapping[str, int] = field(default_factory=dict)
    growth: Mapping[Family, Mapping[str, float]] = field(default_factory=dict)
    recent: Mapping[Growing, tuple[float, ...]] = field(default_factory=dict)
    """Means of six spans of two minutes, the latest last, if the process has been there for twenty minutes."""
    restarts_after_growth: Mapping[Growing, int] = field(default_factory=dict)
    """Restarts within a day after what had grown to the end of a process."""
    memory_limit: float | None = None
    """Bytes: the least that is known."""
    profiling: float | None = None
    budget: float | None = None


def if_repeated(snapshot: TargetSnapshot) -> TargetSnapshot:
    """The same, as if the profiles before each latest one had been like it."""
    alone = {name: replace(profile, earlier=()) for name, profile in snapshot.profiles.items()}
    return replace(
        snapshot, profiles={name: replace(one, earlier=(one,) * (ENOUGH_PROFILES - 1)) for name, one in alone.items()}
    )
