"""Replays recorded rounds through the intake of live replies, so that both give the same target state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from yarl import URL

from pprof_exporter.capture.format import (
    METRICS_PAGE,
    MUTEX_RATE,
    WITHOUT_MODULES,
    CaptureError,
    RecordedFetch,
    RecordedRound,
    read_recorded_file,
    round_folder,
)
from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, TRACE
from pprof_exporter.clock import ManualClock
from pprof_exporter.config import Settings, Target
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.health import TickAudit
from pprof_exporter.profile import DecodeError, Span, Trace, read_index, read_memstats, read_mutex_rate, read_page
from pprof_exporter.profile.memstats import read_page_figures
from pprof_exporter.scrape import TargetState
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.intake import Intake, read_trace_body
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuUse
from pprof_exporter.scrape.state.observation import Observation, observe
from pprof_exporter.scrape.target.round import without_expiry
from pprof_exporter.store import Store


@dataclass(frozen=True, slots=True)
class ReplayedRound:
    """One round. `at` is the Unix time of its start.

    `signals` has the names and units of the store (`fetch_duration_seconds:heap`, `canary_duration_seconds:rest`,
    `cpu_coverage_ratio`, `tick_rate_hertz`, ...), the sums of snapshot profiles by family without `pprof_`
    (`profiled_goroutines`, `heap_inuse_bytes`, ...), and `cpu_processors`, the processors that the samples account
    for. Several values in a round give their median. A value that could not be measured is absent.

    `functions` has, by profile kind, the share of each function in the first value by function: CPU time, live heap,
    goroutines, allocated bytes, delay. `files` has the body of each fetched profile, by kind; `busy` the kinds that
    another profiler held.
    """

    at: float
    signals: Mapping[str, float]
    functions: Mapping[str, Mapping[str, float]]
    audit: TickAudit | None
    files: Mapping[str, Path]
    busy: frozenset[str] = frozenset()


class RecordingStore(Store):
    """A store in memory that also holds each single value until `take_medians`."""

    def __init__(self) -> None:
        super().__init__(None)
        self._values: dict[str, list[float]] = defaultdict(list)

    def measured(self, signal: str, value: float) -> None:
        """Hold one value of a signal."""
        self._values[signal].append(value)

    def take_medians(self) -> dict[str, float]:
        """The median of each signal since the last call."""
        taken = {signal: median(values) for signal, values in self._values.items()}
        self._values.clear()
        return taken


class Replay:
    """Replays the rounds of one target, in order. `state` is the target state after the last one."""

    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        target = Target(name, URL("http://recorded.invalid/debug/pprof/"), tuple(sorted(labels.items())))
        self._clock = ManualClock()
        self._store = RecordingStore()
        self.state = TargetState(target, without_expiry(Settings((), default_profiles())), self._store, self._clock)
        self._intake = Intake(self.state, self._clock)

    @property
    def now(self) -> float:
        """Unix time of the latest reply; 0 before the first round."""
        return self._clock.at

    def replay_round(self, round_: RecordedRound, folder: Path) -> ReplayedRound:
        """Replay one round; `folder` is that of the target. Raises `CaptureError` for a missing or changed file."""
        self._clock.at = round_.at
        files = folder / round_folder(round_.round)
        try:
            return _RoundReplay(self.state, self._intake, self._clock, round_, files).run(self._store)
        except OSError as error:
            raise CaptureError(f"{error.filename or files}: {error.strerror or error}") from error


class _RoundReplay:
    """One round, in the order in which `scrape.target.round` fetches."""

    def __init__(
        self, state: TargetState, intake: Intake, clock: ManualClock, round_: RecordedRound, folder: Path
    ) -> None:
        self._state = state
        self._intake = intake
        self._clock = clock
        self._round = round_
        self._folder = folder
        self._fetches: dict[str, RecordedFetch] = {fetch.profile: fetch for fetch in round_.fetches}
        self._fresh: dict[str, Observation] = {}

    def run(self, store: RecordingStore) -> ReplayedRound:
        before = self._state.sampling_clock.latest
        self._take_in(INDEX, self._index)
        self._metrics_page()
        windows = [name for name, profile in self._state.profiles.items() if profile.kind.window]
        for name in self._state.profiles:
            if name not in windows:
                self._take_in(name, partial(self._profile, name, None))
            if name == "mutex":
                self._mutex_rate()
        self._canary()
        self._take_in(MEMSTATS, self._memstats)
        for name in windows:
            self._window(name)
        self._intake.settle(complete=True)
        latest = self._state.sampling_clock.latest
        return ReplayedRound(
            at=self._round.at,
            signals=store.take_medians() | self._snapshot_sums(),
            functions={name: shares for name, found in self._fresh.items() if (shares := _shares(found))},
            audit=latest if latest is not before else None,
            files={
                name: self._folder / fetch.file
                for name, fetch in self._fetches.items()
                if fetch.file is not None and fetch.outcome is Outcome.SUCCESS
            },
            busy=frozenset(name for name, fetch in self._fetches.items() if fetch.outcome is Outcome.BUSY),
        )

    def _reply(self, fetch: RecordedFetch) -> Reply:
        """The recorded reply. Raises `FetchError` if there was none."""
        self._clock.at = max(self._clock.at, fetch.asked_at + fetch.window)
        if fetch.file is None or fetch.phases is None:
            raise FetchError(fetch.reason or Reason.CLOSED, fetch.detail, hint=fetch.hint)
        return Reply(self._body(fetch.file), fetch.phases, fetch.asked_at)

    def _body(self, file: str) -> bytes:
        return read_recorded_file(self._folder, self._round, file)

    def _take_in(self, name: str, intake: Callable[[Reply], None]) -> None:
        """Hand the recorded reply to the intake, or the reason for which there is none."""
        fetch = self._fetches.get(name)
        if fetch is None:
            return
        try:
            reply = self._reply(fetch)
            self._intake.received(name, reply.size)
            intake(reply)
        except (FetchError, DecodeError) as error:
            self._intake.failed(name, error)

    def _index(self, reply: Reply) -> None:
        self._intake.index(read_index(reply.body), reply.asked_at, reply.phases)

    def _memstats(self, reply: Reply) -> None:
        self._intake.memstats(read_memstats(reply.body), reply.asked_at, reply.phases)

    def _profile(self, name: str, used: CpuUse | None, reply: Reply) -> None:
        profile = self._state.profiles[name]
        observation = self._fresh[name] = observe(
            profile.kind,
            reply,
            window=self._fetches[name].window,
            previous=profile.latest,
            used=used,
            max_bytes=self._state.settings.limits.inflated_bytes,
        )
        self._intake.profile(profile, observation, reply.phases)

    def _window(self, name: str) -> None:
        """The CPU profile, with the trace and the metrics page that were fetched around it."""
        fetch, used = self._fetches.get(name), self._used()
        trace = self._trace()
        if fetch is not None and fetch.phases is not None:
            self._intake.cpu_use(used)
        self._take_in(name, partial(self._profile, name, used))
        if fetch is not None and trace is not None and name in self._fresh:
            self._intake.audit(trace, used.seconds / fetch.window if used and fetch.window else None)

    def _used(self) -> CpuUse | None:
        used = self._round.cpu
        sources = {source.value: source for source in CpuSource}
        return CpuUse(used.seconds, sources[used.source]) if used and used.source in sources else None

    def _metrics_page(self) -> None:
        fetch = self._fetches.get(METRICS_PAGE)
        if fetch is None or fetch.file is None:
            return
        try:
            body = self._body(fetch.file)
            page = read_page(body)
        except DecodeError:
            return
        self._intake.metrics_page(page, self._clock.at, read_page_figures(body))

    def _trace(self) -> Trace | None:
        fetch = self._fetches.get(TRACE)
        if fetch is None:
            return None
        try:
            reading = read_trace_body(self._reply(fetch).body)
        except FetchError as error:
            self._intake.trace_failed(error)
            return None
        self._intake.trace(reading)
        return reading.trace

    def _canary(self) -> None:
        for canary in self._round.canary:
            self._intake.canary(canary.during, canary.seconds)
        without = self._fetches.get(WITHOUT_MODULES)
        if without is None:
            return
        if without.phases is None:
            self._intake.failed(CANARY, FetchError(without.reason or Reason.CLOSED, without.detail, hint=without.hint))
        elif without.outcome is not Outcome.SUCCESS:
            self._intake.failed(CANARY, DecodeError(without.reason or Reason.TEXT, without.detail, without.hint))
        else:
            self._intake.latency_without_modules(without.asked_at, without.phases)

    def _mutex_rate(self) -> None:
        fetch = self._fetches.get(MUTEX_RATE)
        if fetch is None:
            return
        try:
            rate = read_mutex_rate(self._reply(fetch).body)
        except (FetchError, DecodeError):
            rate = None
        self._intake.mutex_rate(rate)

    def _snapshot_sums(self) -> dict[str, float]:
        """Sums of the fresh snapshot profiles, by family without `pprof_`."""
        instants = {
            value.family.name.removeprefix("pprof_"): total
            for name, found in self._fresh.items()
            for value, total in zip(self._state.profiles[name].kind.values, found.sums, strict=True)
            if value.span is Span.NOW and total is not None
        }
        cpu = self._fresh.get("cpu")
        if cpu is not None and cpu.profiled and cpu.sums[1] is not None:
            instants["cpu_processors"] = cpu.sums[1] / cpu.profiled
        return instants


def _shares(observation: Observation) -> dict[str, float]:
    """The share of each function; empty without samples, or if a difference of profiles is negative."""
    weights = next((weights for weights in observation.by_function if weights is not None), {})
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        return {}
    return {name: weight / total for name, weight in weights.items() if weight}
