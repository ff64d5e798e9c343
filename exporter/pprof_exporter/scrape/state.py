"""What is known of one target: counters that the exporter keeps, and the latest of each profile."""

from __future__ import annotations

from collections import defaultdict

from pprof_exporter.catalog import Family, MetricType, Reason
from pprof_exporter.config import Target
from pprof_exporter.profile import Index, Kind, Span, from_index
from pprof_exporter.scrape.canary import CANARY, CanaryState
from pprof_exporter.scrape.identity import Identity
from pprof_exporter.scrape.leaders import Leaders
from pprof_exporter.scrape.observation import Observation
from pprof_exporter.scrape.pauses import MEMSTATS, PauseState
from pprof_exporter.scrape.stopwatch import Phases
from pprof_exporter.scrape.tally import Tally
from pprof_exporter.scrape.ticks import TickState
from pprof_exporter.store import Store

Labels = tuple[tuple[str, str], ...]

INDEX = "index"
"""Value of the label `profile` for the index page."""


class ProfileState:
    """One kind of profile of one target."""

    def __init__(self, kind: Kind, functions: int) -> None:
        self.kind = kind
        self.tally = Tally()
        self.latest: Observation | None = None
        self.accumulated = [0.0] * len(kind.values)
        self.profiled = 0.0
        self.counted: dict[tuple[Family, Labels], float] = defaultdict(float)
        self.leaders: list[dict[str, float] | None] = [None] * len(kind.values)
        self._rankings = [Leaders(functions) for _ in kind.values]

    def record(self, observation: Observation) -> None:
        """Take in a profile: windows are added up, all else replaces what was there."""
        self.latest = observation
        self.profiled += observation.profiled
        for reading in observation.readings:
            if reading.family.type is MetricType.COUNTER and reading.value is not None:
                self.counted[reading.family, reading.labels] += reading.value
        for i, value in enumerate(self.kind.values):
            if value.span is Span.WINDOW:
                self.accumulated[i] += observation.sums[i] or 0.0
            weights = observation.by_function[i]
            self.leaders[i] = None if weights is None else self._rankings[i].update(weights)

    def gauges(self) -> list[tuple[Family, Labels, float]]:
        """What the checks measured on the latest profile and could tell."""
        return [
            (reading.family, reading.labels, reading.value)
            for reading in (self.latest.readings if self.latest else ())
            if reading.family.type is MetricType.GAUGE and reading.value is not None
        ]

    def totals(self) -> tuple[float | None, ...]:
        """What each value of the kind comes to: summed over windows, or as the latest profile has it."""
        if self.latest is None:
            return (None,) * len(self.kind.values)
        return tuple(
            total if value.span is Span.WINDOW else latest
            for value, total, latest in zip(self.kind.values, self.accumulated, self.latest.sums, strict=True)
        )


class TargetState:
    """All that is known of one target. Written by its loop, read when /metrics is asked for."""

    def __init__(self, target: Target, kinds: tuple[Kind, ...], functions: int, store: Store) -> None:
        self.target = target
        self.up: bool | None = None
        self.index: Index | None = None
        self.index_at = 0.0
        self.index_problem: Reason | None = None
        self.index_tally = Tally()
        self.profiles = {kind.name: ProfileState(kind, functions) for kind in kinds}
        self.identity = Identity(target, store)
        self.ticks = TickState()
        self.pauses = PauseState()
        self.canary = CanaryState()

    def tallies(self) -> list[tuple[str, Tally]]:
        """The counters of every profile and of the index page, by value of the label `profile`."""
        return [
            (INDEX, self.index_tally),
            *((name, state.tally) for name, state in self.profiles.items()),
            (MEMSTATS, self.pauses.tally),
            (CANARY, self.canary.tally),
        ]

    def saw_index(self, index: Index, at: float) -> None:
        """Take in an index page that was asked for at `at` (Unix time)."""
        self.index, self.index_problem, self.index_at = index, None, at
        self.identity.learn_version(INDEX, from_index(index))

    def learn(self, profile: ProfileState, observation: Observation, phases: Phases, now: float) -> None:
        """Take in what a profile tells of the target itself, and count its signals towards the epoch."""
        identity, kind = self.identity, profile.kind.name
        identity.learn(observation.facts)
        if kind == "mutex":
            # Records prove that mutex profiling is on; without any it may be on all the same.
            identity.mutex_profiling = observation.samples > 0 or None
        if identity.enter(now):
            self.ticks.wanted = True
        identity.observe(f"fetch_duration_seconds:{kind}", phases.total)
        for family, labels, value in profile.gauges():
            if not labels:
                name = family.name.removeprefix("pprof_")
                identity.observe(f"{name}:{kind}" if "profile" in family.labels else name, value)
