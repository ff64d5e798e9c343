"""The intake: what a reply, or its absence, does to the state of a target. Synchronous, and written once.

Three callers share it, so that the same bytes give the same state: the collectors (`scrape/target`), the
replay of captures (`capture/replay`), and `check` of saved files (`check/saved`).
"""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog import NO_INDEX_PAGE, Outcome, ReasonGroup
from pprof_exporter.catalog.content import HEAP_INUSE_BYTES
from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.clock import Clock
from pprof_exporter.health import TickAudit, audit
from pprof_exporter.profile import (
    NANOSECONDS,
    DecodeError,
    GoroutineDump,
    IndexPage,
    Kind,
    KnownGoVersion,
    MemStats,
    Span,
    System,
    TargetMetrics,
    Trace,
    UnsupportedTrace,
    go_version_from_index,
    go_version_from_metrics,
    go_version_from_trace,
    read_trace,
)
from pprof_exporter.profile.memstats import HeapFigures
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.client.transport_errors import forget_frames
from pprof_exporter.scrape.identity.process import ProcessEvidence, ReplyOrigin
from pprof_exporter.scrape.identity.program import base_name, build_of
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits
from pprof_exporter.scrape.state.cpu_time import CpuUse
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.scrape.state.memory_limits import LocalBounds
from pprof_exporter.scrape.state.observation import Observation
from pprof_exporter.scrape.state.proof_of_life import answers_without_index
from pprof_exporter.scrape.state.target_state import ProfileState, TargetState

_ALLOCS = "allocs"
_GOROUTINE = "goroutine"
_PAGE, _SYSTEM = "metrics page", "operating system"
# Failures that the end of a process can cause.
_CUT = frozenset({ReasonGroup.UNREACHABLE, ReasonGroup.INCOMPLETE, ReasonGroup.TIMEOUT})
# The period of Go's CPU profiler, for a trace without a CPU profile beside it (runtime/pprof.StartCPUProfile).
_DEFAULT_PERIOD = 0.01


@dataclass(frozen=True, slots=True)
class TraceReading:
    """The content of an execution trace. If `trace` is None, `failure` says why."""

    version: KnownGoVersion | None
    trace: Trace | None = None
    failure: UnsupportedTrace | DecodeError | None = None


def read_trace_body(body: bytes) -> TraceReading:
    """Read a trace. Its first bytes hold the Go version, even if its format is not supported."""
    version = None
    try:
        version = go_version_from_trace(body)
        return TraceReading(version, read_trace(body))
    except (UnsupportedTrace, DecodeError) as error:
        # A result of a thread: the frames of that refer to the result, and those of the error to the body.
        forget_frames(error)
        return TraceReading(version, failure=error)


def index_evidence(index: IndexPage, at: float) -> ProcessEvidence:
    """What an index page proves about its process: counts of records, and a lower bound of the Go version."""
    counters = {f"records:{name}": float(count) for name, count in index.records.items()}
    return ProcessEvidence(at, go_at_least=go_version_from_index(index).at_least, counters=counters)


def profile_evidence(kind: Kind, observation: Observation) -> ProcessEvidence:
    """What a profile proves about its process: its build, and totals since the start that are exact."""
    counters = {
        value.family.name: total
        for value, total in zip(kind.values, observation.sums, strict=True)
        if kind.name == _ALLOCS and value.span is Span.SINCE_START and total is not None
    }
    facts = observation.facts
    return ProcessEvidence(
        observation.at, build=build_of(facts.modules), go_at_least=facts.version.at_least, counters=counters
    )


def page_evidence(page: TargetMetrics, at: float) -> ProcessEvidence:
    """What a metrics page proves about its process."""
    version = go_version_from_metrics(page.go_version).exact
    return ProcessEvidence(
        at,
        started={} if page.start_time is None else {_PAGE: page.start_time},
        go={} if version is None else {_PAGE: version},
        counters={} if page.cpu_seconds is None else {"cpu_seconds": page.cpu_seconds},
    )


class Intake:
    """The only writer of what replies say about a target. `phases` is None for a saved file: its latency is unknown."""

    def __init__(self, state: TargetState, clock: Clock, *, one_process: bool = False) -> None:
        """`one_process`: everything counts as from one process, as files that someone put in one folder."""
        self._state = state
        self._clock = clock
        self._one_process = one_process

    def received(self, name: str, size: int) -> None:
        """Count the bytes of a complete reply, before it is decoded."""
        self._state.counters[name].response_bytes += size

    def index(self, index: IndexPage, at: float, phases: Phases | None) -> None:
        """Take in an index page, which was requested at `at` (Unix time)."""
        state = self._state
        if self._take(index_evidence(index, at)):
            state.index, state.index_problem, state.index_at = index, None, at
            state.identity.learn_version(go_version_from_index(index))
            if _GOROUTINE in index.counts:
                state.growth.add(Growing.GOROUTINES, at, index.counts[_GOROUTINE])
        self._succeeded(INDEX, at, phases)
        self.settle()

    def profile(self, profile: ProfileState, observation: Observation, phases: Phases | None) -> None:
        """Take in a profile: its content, what it proves about the process, and its signals for the epoch.

        A profile that the process before sent, or one of several processes, only counts as a success.
        """
        state, identity, kind = self._state, self._state.identity, profile.kind.name
        taken = self._take(profile_evidence(profile.kind, observation))
        self._succeeded(kind, observation.at, phases)
        if not taken:
            return
        profile.record(observation)
        identity.learn(observation.facts)
        state.contention.learn(profile.kind, observation)
        state.gc.learn(profile.kind, observation)
        heap = profile.kind.by_family(observation.sums).get(HEAP_INUSE_BYTES)
        if heap is not None:
            state.growth.add(Growing.HEAP, observation.at, heap)
        identity.mutex_profiling = state.contention.mutex
        if phases is not None:
            self._observe_latency(f"fetch_duration_seconds:{kind}", phases.total)
            if not state.exporter_load.overloaded:
                state.differences.fetched(kind, phases.total)
        for family, labels, value in profile.gauges():
            if not labels:
                name = family.name.removeprefix("pprof_")
                self._observe(f"{name}:{kind}" if "profile" in family.labels else name, value)
        for signal, value in state.resources.learn(profile.kind, observation, contention=state.contention.mutex):
            identity.observe_resource(signal, value, self._clock.now())
        if profile.kind.window:
            began = observation.time_nanos / NANOSECONDS
            state.memstats.add_window(began, began + observation.profiled)
        self.settle()

    def metrics_page(self, page: TargetMetrics, at: float, figures: HeapFigures | None = None) -> None:
        """Take in the target's own metrics page, which was requested at `at` (Unix time).

        `figures` are those of its heap; None: it has none, or it is not known when it was written.
        """
        if self._take(page_evidence(page, at)):
            if self._state.memstats.record_page(figures, at) and figures is not None:
                self._state.gc.record_page(figures, at)
            self._state.identity.learn_version(go_version_from_metrics(page.go_version))
            self._state.settings_of_runtime.learn_page(page)
            self._state.memory_limits.of_page(page.memory_limit)
        self.settle()

    def local_process(
        self,
        executable: str,
        started: float,
        version: KnownGoVersion,
        at: float,
        *,
        cgroup: CgroupLimits | None = None,
        bounds: LocalBounds | None = None,
    ) -> None:
        """Take in the process that listens on the port, as the system describes it at `at` (Unix time).

        If its program is not the one in the profiles, it is a proxy in front of the target, and proves nothing.
        """
        identity = self._state.identity
        if base_name(executable).lower() != identity.program.lower():
            return
        go = {} if version.exact is None else {_SYSTEM: version.exact}
        if self._take(ProcessEvidence(at, started={_SYSTEM: started}, go=go)):
            identity.learn_version(version)
            self._state.cgroup.record(cgroup, self._clock.now())
            if bounds is not None:
                self._state.settings_of_runtime.host_processors = bounds.host_processors
                self._state.memory_limits.of_process(bounds, cgroup.memory_limit if cgroup else None)
        self.settle()

    def settle(self, *, complete: bool = False) -> None:
        """Compare the process with the one before, if its identity is whole; see `Identity.settle`."""
        state, identity = self._state, self._state.identity
        was_whole = identity.whole
        changed = identity.settle(self._clock.now(), complete=complete)
        if identity.whole and not was_whole:
            state.growth.identified(self._clock.now(), upgraded=changed)
        if changed or (identity.whole and not was_whole and state.processes):
            state.sampling_clock.audit_due = True

    def cpu_use(self, used: CpuUse | None) -> None:
        """Take in the CPU time that the process used during the latest CPU profile; None: unknown."""
        self._state.cpu_load.record(used.load if used else None)
        self._state.resources.used = used

    def trace(self, reading: TraceReading) -> None:
        """Take in the Go version that a trace proves, and count a trace that cannot be audited."""
        if reading.version is not None:
            self._state.identity.learn_version(reading.version)
        if reading.failure is not None:
            self.trace_failed(reading.failure)

    def trace_failed(self, error: FetchError | DecodeError | UnsupportedTrace) -> None:
        """Count an audit that failed for lack of a trace. It stays due if the exporter had none of its own making."""
        clock = self._state.sampling_clock
        if isinstance(error, FetchError) and error.reason.group is ReasonGroup.OWN:
            clock.audit_due = True
        elif isinstance(error, UnsupportedTrace):
            clock.unsupported += 1
            clock.failure = "the traces of this Go version cannot be read; build the program with Go 1.22 or later"
        else:
            clock.outcomes[Outcome.FAILURE] += 1
            clock.failure = f"{error.reason.meaning} ({error.detail})"

    def audit(self, trace: Trace, processors: float | None) -> TickAudit:
        """Audit the sampling clock with a trace that ran during the latest CPU profile.

        `processors` is the number of processors that the target kept busy, None if unknown.
        """
        state = self._state
        cpu = state.profiles["cpu"].latest if "cpu" in state.profiles else None
        period = cpu.period_nanos / NANOSECONDS if cpu and cpu.period_nanos else _DEFAULT_PERIOD
        found = audit(trace, period=period, windows=state.identity.system is System.WINDOWS)
        state.sampling_clock.record(found, self._clock.now(), processors)
        signals = {
            "tick_interval_stddev_seconds": found.stddev,
            "tick_late_ratio": found.late_ratio,
            "tick_rate_hertz": found.rate,
        }
        for signal, value in signals.items():
            if value is not None:
                self._observe(signal, value)
        return found

    def canary(self, during: During, seconds: float | None) -> None:
        """Take in one canary; `seconds` is None if it was not answered."""
        state = self._state
        if seconds is None:
            state.canary.fail(during)
            return
        state.canary.record(during, seconds)
        self._observe_latency(f"canary_duration_seconds:{during}", seconds)

    def no_canary(self) -> None:
        """Take in a canary that something else than pprof answered: nothing is known of the target."""
        self._state.canary.forget_latest()

    def latency_without_modules(self, at: float, phases: Phases) -> None:
        """Take in the latency of threadcreate?debug=1, the form that lists no modules."""
        state = self._state
        if not state.exporter_load.overloaded:
            difference = state.differences.without_modules(phases.total)
            if difference is not None and state.lists_modules:
                self._observe("latency_difference_seconds:modules", difference)
        self._succeeded(CANARY, at, phases)

    def memstats(self, memstats: MemStats, at: float, phases: Phases | None) -> None:
        """Take in the MemStats of heap?debug=1, which was requested at `at` (Unix time)."""
        if self._take(ProcessEvidence(at, counters={"collections": float(memstats.num_gc)})):
            self._state.memstats.record(memstats, at)
            self._state.gc.record(memstats, at)
        self._succeeded(MEMSTATS, at, phases)

    def stacks(self, dump: GoroutineDump, at: float, phases: Phases | None) -> None:
        """Take in goroutine?debug=2, which was requested at `at` (Unix time)."""
        if not self._state.identity.process.several:
            self._state.stacks.record(dump, at)
        self._succeeded(STACKS, at, phases)

    def mutex_rate(self, rate: int | None) -> None:
        """Take in the sampling rate from mutex?debug=1; None: it could not be read."""
        self._state.contention.mutex_rate(rate)
        self._state.identity.mutex_profiling = self._state.contention.mutex

    def failed(self, name: str, error: FetchError | DecodeError) -> None:
        """Take in a failed fetch. One that failed for lack of something in the exporter says nothing of the target."""
        state = self._state
        if error.reason.group is ReasonGroup.OWN:
            return
        if error.reason.group in _CUT:
            state.identity.process.connection_lost(self._clock.now())
        if name == INDEX:
            if state.index_problem is None:
                state.index_lost_at, state.failed_since_index = self._clock.now(), False
            state.index, state.index_problem = None, error.reason
            if error.reason not in NO_INDEX_PAGE or not answers_without_index(state, self._clock.now()):
                state.up = False
        elif name in state.profiles:
            state.failed_since_index = True
            if state.index_problem is not None and not answers_without_index(state, self._clock.now()):
                state.up = False
        state.wedge.record(name, error.reason)
        state.counters[name].failed(error)
        state.revision += 1

    def _take(self, evidence: ProcessEvidence) -> bool:
        """Take in evidence about the process. Returns whether the reply is from the current one."""
        if self._one_process:
            return True
        origin = self._state.identity.take(evidence, self._clock.now())
        if origin is ReplyOrigin.NEW or (origin is ReplyOrigin.MIXED and self._state.has_content()):
            self._state.begin_process(mixed=origin is ReplyOrigin.MIXED)
        return origin in (ReplyOrigin.SAME, ReplyOrigin.NEW)

    def _observe(self, signal: str, value: float) -> None:
        self._state.identity.observe(signal, value, self._clock.now())

    def _observe_latency(self, signal: str, seconds: float) -> None:
        """While the exporter is overloaded, a latency says nothing about the target."""
        if not self._state.exporter_load.overloaded:
            self._observe(signal, seconds)

    def _succeeded(self, name: str, at: float, phases: Phases | None) -> None:
        state = self._state
        state.counters[name].succeeded(at, phases, overloaded=state.exporter_load.overloaded)
        state.wedge.record(name, None)
        # A router without pprof answers the canary too.
        if name != CANARY and not state.up:
            state.up = True
            state.recoveries += 1
        state.revision += 1
