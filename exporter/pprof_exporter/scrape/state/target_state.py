"""The state of one target: counters, and the latest observation of each profile."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import replace

from pprof_exporter.averages import median_of
from pprof_exporter.catalog import Family, MetricType, Reason
from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.health import GrowthTracker
from pprof_exporter.profile import KINDS, IndexPage, Kind, SampleValue, Span, System
from pprof_exporter.scrape.identity.identity import Identity
from pprof_exporter.scrape.state.auxiliary import MemStatsState, SamplingClockState, StacksState
from pprof_exporter.scrape.state.budget import Budget
from pprof_exporter.scrape.state.canary import CanaryState
from pprof_exporter.scrape.state.cgroup_limits import CgroupState
from pprof_exporter.scrape.state.contention import ContentionState
from pprof_exporter.scrape.state.counters import FetchCounters, LatestFailure
from pprof_exporter.scrape.state.cpu_time import CpuLoad, ReadingCost
from pprof_exporter.scrape.state.exporter_load import ExporterLoad
from pprof_exporter.scrape.state.gc_state import GcState
from pprof_exporter.scrape.state.growth import GrowthState
from pprof_exporter.scrape.state.handler_delay import LongerTries
from pprof_exporter.scrape.state.latency_differences import LatencyDifferences
from pprof_exporter.scrape.state.memory_limits import MemoryLimits
from pprof_exporter.scrape.state.observation import Observation
from pprof_exporter.scrape.state.resources import ResourceState
from pprof_exporter.scrape.state.runtime_settings import RuntimeSettings
from pprof_exporter.scrape.state.top_k import TopK, largest
from pprof_exporter.scrape.state.wedge import Wedge
from pprof_exporter.store import Store

LabelPairs = tuple[tuple[str, str], ...]

# A verdict takes three to five profiles, since one is odd on a machine that has no time for it.
_FEW = 5


class ProfileState:
    """The state of one kind of profile of one target."""

    def __init__(self, kind: Kind, functions: int) -> None:
        self.kind = kind
        self.counters = FetchCounters()
        self.latest_few = deque[Observation](maxlen=_FEW)
        """The latest profiles of the current process, without what they say of functions."""
        self.accumulated = [0.0] * len(kind.values)
        self.profiled = 0.0
        self.counter_totals: dict[tuple[Family, LabelPairs], float] = defaultdict(float)
        self.top_functions: list[dict[str, float] | None] = [None] * len(kind.values)
        self.growing_functions: list[dict[str, float]] = [{} for _ in kind.values]
        self.read = 0
        """How many profiles of the current process were read."""
        self._functions = functions
        self._rankings = [TopK(functions) for _ in kind.values]
        self._growth = [_growth(value) for value in kind.values]

    @property
    def latest(self) -> Observation | None:
        """The newest of the latest few; None before the first."""
        return self.latest_few[-1] if self.latest_few else None

    def begin_process(self) -> None:
        """Forget the content of the process before; what the exporter adds up stays."""
        self.latest_few.clear()
        self.read = 0
        self.top_functions = [None] * len(self.kind.values)
        self.growing_functions = [{} for _ in self.kind.values]
        self._rankings = [TopK(self._functions) for _ in self.kind.values]
        self._growth = [_growth(value) for value in self.kind.values]

    def record(self, observation: Observation) -> None:
        """Take in a profile. Values of windows are added up; other values replace the previous ones."""
        self.latest_few.append(replace(observation, by_function=()))
        self.read += 1
        self.profiled += observation.profiled
        for reading in observation.readings:
            if reading.family.type is MetricType.COUNTER and reading.value is not None:
                self.counter_totals[reading.family, reading.labels] += reading.value
        for i, value in enumerate(self.kind.values):
            if value.span is Span.WINDOW:
                self.accumulated[i] += observation.sums[i] or 0.0
            weights = observation.by_function[i]
            self.top_functions[i] = None if weights is None else self._rankings[i].update(weights)
            growth = self._growth[i]
            if growth is not None and weights is not None:
                self.growing_functions[i] = largest(growth.update(weights), self._functions)

    def gauges(self) -> list[tuple[Family, LabelPairs, float]]:
        """The gauges that the checks measured on the latest profile, without unknown values."""
        return [
            (reading.family, reading.labels, reading.value)
            for reading in (self.latest.readings if self.latest else ())
            if reading.family.type is MetricType.GAUGE and reading.value is not None
        ]

    def totals(self) -> tuple[float | None, ...]:
        """The total of each value of the kind: summed over windows, or that of the latest profile."""
        if self.latest is None:
            return (None,) * len(self.kind.values)
        return tuple(
            total if value.span is Span.WINDOW else latest
            for value, total, latest in zip(self.kind.values, self.accumulated, self.latest.sums, strict=True)
        )


class TargetState:
    """The state of one target. Written by its loop, read for /metrics.

    `settings` are those of this target.
    """

    def __init__(
        self,
        target: Target,
        settings: Settings,
        store: Store,
        clock: Clock,
        *,
        exporter_load: ExporterLoad | None = None,
    ) -> None:
        """`exporter_load` is that of the whole exporter; None: it is never overloaded."""
        functions = settings.limits.functions
        kinds = [kind for name, kind in KINDS.items() if settings.profiles[name].enabled]
        self.target = target
        self.settings = settings
        self.revision = 0
        """Grows with every change, so that readers know whether rendered output is still current."""
        self.up: bool | None = None
        self.recoveries = 0
        """How often the target came up, the first time included."""
        self.processes = 0
        """How often a new process was seen; readers compare it to notice one."""
        self.index: IndexPage | None = None
        self.index_at = 0.0
        self.index_problem: Reason | None = None
        self.index_lost_at = 0.0
        """When the index page first failed after it had answered; Unix time."""
        self.failed_since_index = False
        """Whether a profile has failed since then."""
        self.index_counters = FetchCounters()
        self.profiles = {kind.name: ProfileState(kind, functions) for kind in kinds}
        self.identity = Identity(target, store, settings.index_interval)
        self.exporter_load = exporter_load or ExporterLoad(clock)
        self.sampling_clock = SamplingClockState()
        self.memstats = MemStatsState()
        self.canary = CanaryState(clock)
        self.differences = LatencyDifferences()
        self.stacks = StacksState(functions)
        self.contention = ContentionState()
        self.cgroup = CgroupState()
        self.gc = GcState()
        self.settings_of_runtime = RuntimeSettings()
        self.memory_limits = MemoryLimits()
        self.growth = GrowthState(settings.index_interval)
        self.resources = ResourceState()
        self.wedge = Wedge()
        self.delays = LongerTries(clock, [name for name, one in self.profiles.items() if not one.kind.window])
        self.budget = Budget(settings.budget, clock)
        self.reading_cost = ReadingCost()
        self.cpu_load = CpuLoad(clock, valid=2.5 * settings.profiles["cpu"].interval)
        self.counters: Mapping[str, FetchCounters] = {
            INDEX: self.index_counters,
            **{name: profile.counters for name, profile in self.profiles.items()},
            MEMSTATS: self.memstats.counters,
            CANARY: self.canary.counters,
            STACKS: self.stacks.counters,
        }
        """Counters by value of the label `profile`."""

    def has_content(self) -> bool:
        """Whether a profile of the current process was read."""
        return any(profile.latest is not None for profile in self.profiles.values())

    def begin_process(self, *, mixed: bool = False) -> None:
        """Forget all that the process before taught. Counters of the exporter stay.

        `mixed`: no process ended, but several answer at the address.
        """
        for profile in self.profiles.values():
            profile.begin_process()
        self.sampling_clock.begin_process()
        self.memstats.begin_process()
        self.stacks.begin_process()
        self.canary.begin_process()
        self.differences = LatencyDifferences()
        self.contention = ContentionState()
        self.cgroup.begin_process()
        self.gc = GcState()
        self.settings_of_runtime = RuntimeSettings()
        self.memory_limits.begin_process()
        self.growth.begin_process(judge=not mixed)
        self.resources.begin_process()
        self.delays.begin_process()
        self.wedge.begin_process()
        for counters in self.counters.values():
            counters.begin_process()
        self.cpu_load.record(None)
        self.reading_cost.reset()
        self.processes += 1
        self.revision += 1

    def latency_differences(self) -> dict[str, float]:
        """The parts of the latency of profiles, in seconds by cause: medians of several fetches.

        `modules` only where Go lists the modules of the process for each profile: on Windows, since 1.20.
        """
        medians = self.differences.medians()
        if not self.lists_modules:
            medians.pop("modules", None)
        return medians

    @property
    def lists_modules(self) -> bool:
        """Whether the profiles of the target list modules besides the program."""
        return self.identity.system is System.WINDOWS and len(self.identity.modules) > 1

    def usual_latency(self, name: str) -> float | None:
        """The usual latency of the profiles other than `name`, in seconds; None if none has come."""
        others = [
            profile.latest.took
            for other, profile in self.profiles.items()
            if other != name and not profile.kind.window and profile.latest is not None
        ]
        return median_of(others) if others else None

    @property
    def why_down(self) -> str:
        """Why the target could not be scraped, and what to do; "" if it is up."""
        if self.up:
            return ""
        reason = self.index_problem
        if reason is None:
            return "The target was not fetched."
        last = self.counters[INDEX].last_failure
        failure = last if last is not None and last.reason is reason else LatestFailure(reason)
        return f"No index page of pprof: {failure.explained()}"


def _growth(value: SampleValue) -> GrowthTracker | None:
    rise = value.growth_rule
    return GrowthTracker(at_least=rise.at_least, changes_only=rise.changes_only) if rise else None
