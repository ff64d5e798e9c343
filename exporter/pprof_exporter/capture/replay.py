"""Recorded rounds, fed to the same state that the exporter keeps of a target: what it learns from them is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from yarl import URL

from pprof_exporter.capture.format import (
    METRICS,
    MUTEX_RATE,
    TRACE,
    WITHOUT_MODULES,
    RecordedCpuUse,
    RecordedFetch,
    RecordedRound,
)
from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.config import Settings, Target
from pprof_exporter.health import TickAudit, audit
from pprof_exporter.profile import (
    NANOSECONDS,
    DecodeError,
    Span,
    System,
    UnsupportedTrace,
    from_metrics,
    from_trace,
    read_index,
    read_memstats,
    read_mutex_rate,
    read_page,
    read_trace,
)
from pprof_exporter.scrape import INDEX, MEMSTATS, FetchCounters, ProfileState, TargetState, default_profiles
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuUse
from pprof_exporter.scrape.state.observation import Observation, observe
from pprof_exporter.store import Store


@dataclass(frozen=True, slots=True)
class Heard:
    """What one round told; see `recording.ReplayedRound`."""

    signals: Mapping[str, float]
    functions: Mapping[str, Mapping[str, float]]
    audit: TickAudit | None
    files: Mapping[str, Path]
    busy: frozenset[str]


class RecordingStore(Store):
    """A store in memory that also keeps each value by itself, until they are taken."""

    def __init__(self) -> None:
        super().__init__(None)
        self._noted: dict[str, list[float]] = defaultdict(list)

    def observe(self, epoch_id: int, signal: str, value: float) -> None:
        """Count one value of a signal."""
        super().observe(epoch_id, signal, value)
        self._noted[signal].append(value)

    def take(self) -> dict[str, float]:
        """The median of each signal since the last call."""
        taken = {signal: median(values) for signal, values in self._noted.items()}
        self._noted.clear()
        return taken


class _RecordedClock:
    """The time of the round that is read."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def steady(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Replay:
    """Rounds of one target, to be heard in their order. `state` is what is known after the last one."""

    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        target = Target(name, URL("http://recorded.invalid/debug/pprof/"), tuple(sorted(labels.items())))
        self._clock = _RecordedClock()
        self._store = RecordingStore()
        self.state = TargetState(target, Settings((), default_profiles()), self._store, self._clock)

    @property
    def now(self) -> float:
        """Unix time of the latest round; 0 before the first."""
        return self._clock.at

    def hear(self, round_: RecordedRound, folder: Path) -> Heard:
        """Take in one round whose files are in `folder`. Raises `OSError` for a file that cannot be read."""
        self._clock.at = round_.at
        return _Hearing(self.state, self._store, round_, folder).heard()


class _Hearing:
    """One round on its way into the state."""

    def __init__(self, state: TargetState, store: RecordingStore, round_: RecordedRound, folder: Path) -> None:
        self._state = state
        self._store = store
        self._round = round_
        self._folder = folder
        self._fetches: dict[str, RecordedFetch] = {fetch.profile: fetch for fetch in round_.fetches}
        self._fresh: dict[str, Observation] = {}

    def heard(self) -> Heard:
        before = self._state.ticks.latest
        self._hear_index()
        for name, profile in self._state.profiles.items():
            if name in self._fetches:
                self._hear_profile(self._fetches[name], profile)
        self._hear_trace()
        self._hear_page()
        self._hear_canary()
        self._hear_rest()
        latest = self._state.ticks.latest
        return Heard(
            signals=self._store.take() | self._instants(),
            functions={name: shares for name, found in self._fresh.items() if (shares := _shares(found))},
            audit=latest if latest is not before else None,
            files={
                name: self._folder / fetch.file
                for name, fetch in self._fetches.items()
                if fetch.file is not None and fetch.outcome is Outcome.SUCCESS
            },
            busy=frozenset(name for name, fetch in self._fetches.items() if fetch.outcome is Outcome.BUSY),
        )

    def _kind(self, name: str) -> ProfileState:
        return self._state.profiles[name]

    def _reply(self, fetch: RecordedFetch) -> Reply:
        """The reply as it came. Raises `FetchError` where none came."""
        if fetch.file is None or fetch.phases is None:
            raise FetchError(fetch.reason or Reason.EMPTY, fetch.detail)
        return Reply((self._folder / fetch.file).read_bytes(), fetch.phases, fetch.asked_at)

    def _failed(self, name: str, counters: FetchCounters, error: FetchError | DecodeError) -> None:
        self._state.wedge.asked(name, error.reason)
        counters.failed(error.reason, error.detail, decoding=isinstance(error, DecodeError))

    def _hear_index(self) -> None:
        state, fetch = self._state, self._fetches.get(INDEX)
        if fetch is None:
            return
        try:
            reply = self._reply(fetch)
            state.saw_index(read_index(reply.body), reply.asked_at)
        except (FetchError, DecodeError) as error:
            state.index, state.index_problem, state.up = None, error.reason, False
            self._failed(INDEX, state.index_counters, error)
        else:
            self._succeeded(INDEX, state.index_counters, reply)

    def _succeeded(self, name: str, counters: FetchCounters, reply: Reply) -> None:
        self._state.up = True
        self._state.wedge.asked(name, None)
        counters.succeeded(reply.asked_at, reply.phases)

    def _hear_profile(self, fetch: RecordedFetch, profile: ProfileState) -> None:
        used = self._used() if profile.kind.name == "cpu" else None
        try:
            reply = self._reply(fetch)
            observation = observe(
                profile.kind,
                reply,
                window=fetch.window,
                previous=profile.latest,
                used=used,
                max_bytes=self._state.settings.limits.inflated_bytes,
            )
        except (FetchError, DecodeError) as error:
            self._failed(fetch.profile, profile.counters, error)
            return
        self._fresh[fetch.profile] = observation
        profile.record(observation)
        self._succeeded(fetch.profile, profile.counters, reply)
        self._state.learn(profile, observation, reply.phases, self._round.at)

    def _used(self) -> CpuUse | None:
        told: RecordedCpuUse | None = self._round.cpu
        known = {source.value: source for source in CpuSource}
        return CpuUse(told.seconds, known[told.source]) if told and told.source in known else None

    def _hear_trace(self) -> None:
        fetch, cpu = self._fetches.get(TRACE), self._fresh.get("cpu")
        if fetch is None or cpu is None:
            return
        state, used = self._state, self._used()
        window = self._fetches["cpu"].window
        try:
            body = self._reply(fetch).body
            state.identity.learn_version(TRACE, from_trace(body))
            trace = read_trace(body)
        except UnsupportedTrace:
            state.ticks.unsupported += 1
        except (FetchError, DecodeError):
            state.ticks.outcomes[Outcome.FAILURE] += 1
        else:
            windows = state.identity.system is System.WINDOWS
            found = audit(trace, period=cpu.period_nanos / NANOSECONDS, windows=windows)
            state.learn_audit(found, self._round.at, used.seconds / window if used and window else None)

    def _hear_page(self) -> None:
        fetch = self._fetches.get(METRICS)
        if fetch is None or fetch.file is None:
            return
        try:
            page = read_page(self._reply(fetch).body.decode("utf-8", "replace"))
        except (FetchError, DecodeError):
            return
        self._state.identity.learn_version(METRICS, from_metrics(page.go_version))

    def _hear_canary(self) -> None:
        state = self._state
        for canary in self._round.canary:
            if canary.seconds is None:
                state.canary.fail(canary.during)
            else:
                state.canary.record(canary.during, canary.seconds)
                state.identity.observe(f"canary_duration_seconds:{canary.during}", canary.seconds)
        without = self._fetches.get(WITHOUT_MODULES)
        if without is None or without.phases is None:
            return
        state.canary.without_modules = without.phases.total
        listing = self._fresh.get("threadcreate")
        if listing is not None:
            state.identity.observe("latency_difference_seconds:modules", listing.took - without.phases.total)

    def _hear_rest(self) -> None:
        """The memory statistics, and whether the mutex profile is on."""
        state = self._state
        fetch = self._fetches.get(MEMSTATS)
        if fetch is not None:
            try:
                reply = self._reply(fetch)
                state.pauses.record(read_memstats(reply.body), reply.asked_at)
            except (FetchError, DecodeError) as error:
                self._failed(MEMSTATS, state.pauses.counters, error)
            else:
                self._succeeded(MEMSTATS, state.pauses.counters, reply)
        rate = self._fetches.get(MUTEX_RATE)
        if rate is not None:
            try:
                state.contention.mutex_rate(read_mutex_rate(self._reply(rate).body))
            except (FetchError, DecodeError):
                state.contention.mutex_rate(None)

    def _instants(self) -> dict[str, float]:
        """What the fresh profiles of the moment count, by family without `pprof_`."""
        instants = {
            value.family.name.removeprefix("pprof_"): total
            for name, found in self._fresh.items()
            for value, total in zip(self._kind(name).kind.values, found.sums, strict=True)
            if value.span is Span.NOW and total is not None
        }
        cpu = self._fresh.get("cpu")
        if cpu is not None and cpu.profiled and cpu.sums[1] is not None:
            instants["cpu_processors"] = cpu.sums[1] / cpu.profiled
        return instants


def _shares(observation: Observation) -> dict[str, float]:
    """The share of each function; empty where nothing was taken, or a difference of profiles is below zero."""
    weights = next((weights for weights in observation.by_function if weights is not None), {})
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        return {}
    return {name: weight / total for name, weight in weights.items() if weight}
