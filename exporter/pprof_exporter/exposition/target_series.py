"""All series of one target. A value that is not known now has no series."""

from __future__ import annotations

import math
from collections import Counter

from pprof_exporter.catalog import Family, Outcome, content, fetching, identity, runtime, sampling
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, STACKS
from pprof_exporter.exposition.sink import SeriesSink
from pprof_exporter.scrape.identity.identity import Identity
from pprof_exporter.scrape.state.auxiliary import MemStatsState, SamplingClockState, StacksState
from pprof_exporter.scrape.state.cgroup_limits import CgroupState
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.freshness import fresh_until, is_valid, memstats_fresh_until
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.scrape.state.target_state import ProfileState, TargetState
from pprof_exporter.store import Change, Comparison

# A target names its modules itself. Programs on Windows with scanners of several vendors have thirty.
_MOST_MODULES = 100


class TargetSeries:
    """All series of one target."""

    def __init__(self, sink: SeriesSink, state: TargetState, now: float) -> None:
        self._sink = sink
        self._state = state
        self._now = now
        self._labels = {**dict(state.target.labels), "target": state.target.name}
        self._expires = math.inf

    def add(self) -> float:
        """Add all series to the sink. Returns the Unix time at which the first of them expires by age."""
        state = self._state
        if state.up is not None:
            self._sink.add(fetching.UP, self._labels, state.up)
            self._sink.add(fetching.PROFILING, self._labels, state.budget.spent)
        if state.index_problem is not None:
            self._sink.add(fetching.DOWN, {**self._labels, "reason": state.index_problem}, 1)
        for name, hangs in state.wedge.hangs.items():
            self._sink.add(fetching.WEDGED, {**self._labels, "profile": name}, hangs)
        for name, window in state.delays.windows().items():
            self._sink.add(fetching.HANDLER_WINDOW, {**self._labels, "profile": name}, window)
        for name, counters in state.counters.items():
            self._add_counters(name, counters)
        self._add_changes(state.identity)
        if state.identity.process.several:
            # What one process shows would be mixed with what the others show.
            self._sink.add(identity.SEVERAL_PROCESSES, self._labels, 1)
            return self._expires
        self._add_index()
        self._sink.add_known(sampling.CPU_READING, self._labels, state.reading_cost.seconds)
        self._add_sampling_clock(state.sampling_clock)
        self._add_identity(state.identity)
        self._add_runtime(state)
        self._add_cgroup(state.cgroup)
        self._add_canary(state)
        self._add_stacks(state.stacks)
        for profile in state.profiles.values():
            self._add_profile(profile)
        return self._expires

    def _fresh(self, at: float, name: str, counters: FetchCounters) -> bool:
        return self._valid(at, fresh_until(at, name, counters, settings=self._state.settings))

    def _valid(self, at: float, until: float) -> bool:
        if not is_valid(at, until, self._now):
            return False
        self._expires = min(self._expires, until)
        return True

    def _add_counters(self, profile: str, counters: FetchCounters) -> None:
        sink, labels = self._sink, {**self._labels, "profile": profile}
        if not counters.outcomes and not counters.skipped and not counters.deferred:
            return
        for outcome in Outcome:
            sink.add(fetching.FETCHES, {**labels, "outcome": outcome}, counters.outcomes[outcome])
        for reason, count in counters.fetch_failures.items():
            sink.add(fetching.FETCH_FAILURES, {**labels, "reason": reason}, count)
        for reason, count in counters.decode_failures.items():
            sink.add(fetching.DECODE_FAILURES, {**labels, "reason": reason}, count)
        for skip, count in counters.skipped.items():
            sink.add(fetching.SKIPPED, {**labels, "reason": skip}, count)
        for deferral, count in counters.deferred.items():
            sink.add(fetching.DEFERRED, {**labels, "reason": deferral}, count)
        if counters.deferred:
            sink.add(fetching.OVERDUE, labels, counters.overdue)
        sink.add(fetching.RESPONSE_BYTES, labels, counters.response_bytes)
        if counters.last_success is None:
            return
        sink.add(fetching.LAST_SUCCESS, labels, counters.last_success)
        sink.add_histogram(fetching.FETCH_DURATION, labels, counters.latency.counts, counters.latency.sum)
        for phase, seconds in counters.phases.items():
            sink.add(fetching.FETCH_PHASE, {**labels, "phase": phase}, seconds)

    def _add_index(self) -> None:
        index = self._state.index
        if index is None or not self._fresh(self._state.index_at, INDEX, self._state.index_counters):
            return
        sink, labels = self._sink, self._labels
        for profile in self._state.profiles.values():
            listed = index.lists(profile.kind.path)
            sink.add(fetching.AVAILABLE, {**labels, "profile": profile.kind.name}, listed)
        if "goroutine" in index.counts:
            sink.add(content.GOROUTINES, labels, index.counts["goroutine"])
        for name, count in index.records.items():
            sink.add(content.PROFILE_RECORDS, {**labels, "profile": name}, count)
        sink.add_known(identity.START_TIME, labels, self._state.identity.process.started)
        for source, limit in self._state.memory_limits.known.items():
            sink.add(runtime.MEMORY_LIMIT, {**labels, "source": source}, limit)

    def _add_sampling_clock(self, ticks: SamplingClockState) -> None:
        sink, labels = self._sink, self._labels
        for outcome, count in (*ticks.outcomes.items(), ("unsupported", ticks.unsupported)):
            if count:
                sink.add(sampling.AUDITS, {**labels, "outcome": outcome}, count)
        found = ticks.latest
        if found is None or ticks.at is None:
            return
        sink.add(sampling.LAST_AUDIT, labels, ticks.at)
        sink.add_histogram(sampling.TICK_INTERVAL, labels, ticks.counts, ticks.sum)
        statistics = {
            "mean": found.mean,
            "stddev": found.stddev,
            "median": found.median,
            "p99": found.p99,
            "longest": found.longest,
        }
        for statistic, seconds in statistics.items():
            sink.add_known(sampling.TICK_STATISTIC, {**labels, "statistic": statistic}, seconds)
        sink.add_known(sampling.TICK_RATE, labels, found.rate)
        sink.add_known(sampling.TICK_LATE, labels, found.late_ratio)
        sink.add_known(sampling.TICK_GAPS, labels, found.gaps)
        sink.add_known(sampling.TICK_PROCESSORS, labels, ticks.processors)
        if found.drift is not None:
            sink.add(sampling.CLOCK_DRIFT, {**labels, "clock": "trace"}, found.drift.trace)
            sink.add(sampling.CLOCK_DRIFT, {**labels, "clock": "wall"}, found.drift.wall)

    def _add_runtime(self, state: TargetState) -> None:
        sink, labels = self._sink, self._labels
        contention = {"block": state.contention.block, "mutex": state.contention.mutex}
        for profile, enabled in contention.items():
            sink.add_known(runtime.CONTENTION_PROFILING, {**labels, "profile": profile}, enabled)
        sink.add_known(runtime.PROCESSORS, labels, state.settings_of_runtime.processors)
        sink.add_known(runtime.GOGC, labels, state.settings_of_runtime.gogc)
        self._add_memstats(state.memstats)

    def _add_memstats(self, memstats: MemStatsState) -> None:
        sink, labels = self._sink, self._labels
        figures, found = memstats.figures, memstats.latest
        if figures is not None and self._fresh(memstats.figures_at, MEMSTATS, memstats.counters):
            sink.add(runtime.GC_CYCLES, labels, figures.num_gc)
            sink.add(runtime.NEXT_GC, labels, figures.next_gc)
            sink.add(runtime.HEAP_SIZE, labels, figures.heap_alloc)
            sink.add(runtime.PROFILER_MEMORY, labels, figures.buck_hash_sys)
        if found is None:
            return
        sink.add_histogram(runtime.GC_PAUSE, labels, memstats.pause_counts, memstats.pause_sum)
        sink.add(runtime.GC_UNSEEN, labels, memstats.unseen_collections)
        sink.add(runtime.GC_IN_WINDOW, labels, memstats.pauses_within_windows)
        if self._valid(memstats.at, memstats_fresh_until(memstats, settings=self._state.settings)):
            sink.add_known(runtime.GC_FORCED, labels, found.num_forced_gc)
            sink.add(runtime.GC_CPU, labels, found.gc_cpu_fraction)
            sink.add_known(runtime.MAX_RSS, labels, found.max_rss)

    def _add_cgroup(self, cgroup: CgroupState) -> None:
        if cgroup.latest is not None:
            self._sink.add_known(runtime.CPU_LIMIT, self._labels, cgroup.latest.processors)
        if cgroup.has_limit:
            self._sink.add(runtime.CPU_PERIODS, self._labels, cgroup.total.periods)
            self._sink.add(runtime.CPU_THROTTLED_PERIODS, self._labels, cgroup.total.throttled_periods)
            self._sink.add(runtime.CPU_THROTTLED, self._labels, cgroup.total.throttled_seconds)

    def _add_canary(self, state: TargetState) -> None:
        canary, sink, labels = state.canary, self._sink, self._labels
        for during, counts in canary.counts.items():
            if any(counts):
                sink.add_histogram(runtime.CANARY_DURATION, {**labels, "during": during}, counts, canary.sums[during])
        for during, failures in canary.failures.items():
            sink.add(runtime.CANARY_FAILURES, {**labels, "during": during}, failures)
        for cause, seconds in state.latency_differences().items():
            sink.add(runtime.LATENCY_DIFFERENCE, {**labels, "cause": cause}, seconds)

    def _add_stacks(self, stacks: StacksState) -> None:
        if stacks.at is None or not self._fresh(stacks.at, STACKS, stacks.counters):
            return
        for function, count in stacks.by_creator.items():
            self._sink.add(content.CREATORS, {**self._labels, "function": function}, count)
        for state, seconds in stacks.longest_waits.items():
            self._sink.add(content.LONGEST_WAIT, {**self._labels, "state": state}, seconds)

    def _add_identity(self, known: Identity) -> None:
        if not known.whole:
            return
        sink, labels = self._sink, self._labels
        about = {
            "system": known.system.value if known.system else "unknown",
            "program": known.program,
            "build": known.build,
            "go_version": known.go_version,
        }
        sink.add(identity.TARGET_INFO, {**labels, **about}, 1)
        for module, changed_at in known.core_modules.items():
            sink.add(identity.SYSTEM_MODULE, {**labels, "module": module}, changed_at)
        for role, count in Counter(module.role for module in known.modules).items():
            sink.add(identity.MODULES, {**labels, "role": role}, count)
        for module in sorted(known.foreign_modules)[:_MOST_MODULES]:
            sink.add(identity.FOREIGN_MODULE, {**labels, "module": module}, 1)
        for bug in known.known_bugs:
            fixed = str(bug.fixed_in) if bug.fixed_in else "not yet"
            sink.add(identity.KNOWN_BUG, {**labels, "bug": bug.id, "fixed_in": fixed}, 1)
        self._add_comparison(known.comparison)

    def _add_changes(self, known: Identity) -> None:
        """Counters of the exporter, and the latest event: they stay while the next process is not known yet."""
        if self._state.up is None or known.epoch is None:
            return
        sink, labels = self._sink, self._labels
        sink.add(identity.RESTARTS, labels, known.process.restarts)
        for what in Growing:
            sink.add(identity.RESTARTS_AFTER_GROWTH, {**labels, "what": what}, self._state.growth.restarts[what])
        for change in Change:
            sink.add(identity.CHANGES, {**labels, "change": change}, known.changes[change])
        for change, at in known.last_change.items():
            sink.add(identity.LAST_CHANGE, {**labels, "change": change}, at)
        for change, (before, after) in known.last_event.values.items() if known.last_event else ():
            sink.add(identity.LAST_CHANGE_INFO, {**labels, "change": change, "from": before, "to": after}, 1)

    def _add_comparison(self, comparison: Comparison | None) -> None:
        if comparison is None:
            return
        sink, labels = self._sink, self._labels
        for signal, (before, now) in comparison.signals.items():
            of_signal = {**labels, "signal": signal}
            for epoch, summary in (("before", before), ("now", now)):
                sink.add(identity.SIGNAL_MEDIAN, {**of_signal, "epoch": epoch}, summary.p50)
                sink.add(identity.SIGNAL_OBSERVATIONS, {**of_signal, "epoch": epoch}, summary.count)
            if before.p50:
                sink.add(identity.SIGNAL_CHANGE, of_signal, now.p50 / before.p50)
            sink.add_known(identity.SIGNAL_CONTROL, of_signal, comparison.control.get(signal))
            sink.add_known(identity.SIGNAL_LOAD, of_signal, comparison.load.get(signal))

    def _add_profile(self, profile: ProfileState) -> None:
        latest = profile.latest
        if latest is None:
            return
        labels = {**self._labels, "profile": profile.kind.name}
        fresh = self._fresh(latest.at, profile.kind.name, profile.counters)
        self._add_accumulated(profile, labels)
        for value, total in zip(profile.kind.values, profile.totals(), strict=True):
            if total is not None and (fresh or value.is_accumulated):
                self._sink.add(value.family, self._for(value.family, labels), total)
        if fresh:
            self._sink.add(fetching.PROFILE_SIZE, labels, latest.size)
            self._sink.add(content.SAMPLES, labels, latest.samples)
            self._add_top_functions(profile, labels)
            for family, own, measured in profile.gauges():
                self._sink.add(family, {**self._for(family, labels), **dict(own)}, measured)

    def _add_accumulated(self, profile: ProfileState, labels: dict[str, str]) -> None:
        """Counters that the exporter accumulates: they stay while the target is down."""
        if profile.kind.profiled:
            self._sink.add(profile.kind.profiled, self._for(profile.kind.profiled, labels), profile.profiled)
        for (family, own), count in profile.counter_totals.items():
            self._sink.add(family, {**self._for(family, labels), **dict(own)}, count)

    def _add_top_functions(self, profile: ProfileState, labels: dict[str, str]) -> None:
        for value, leaders in zip(profile.kind.values, profile.top_functions, strict=True):
            if value.by_function is not None and leaders is not None:
                of_family = self._for(value.by_function, labels)
                for function, weight in leaders.items():
                    self._sink.add(value.by_function, {**of_family, "function": function}, weight)
        for value, rises in zip(profile.kind.values, profile.growing_functions, strict=True):
            for function, rise in rises.items():
                if value.growth_rule is not None:
                    self._sink.add(value.growth_rule.family, {**self._labels, "function": function}, rise)

    def _for(self, family: Family, labels: dict[str, str]) -> dict[str, str]:
        """The labels of a family: `profile` only if more than one profile kind feeds it."""
        return labels if "profile" in family.labels else self._labels
