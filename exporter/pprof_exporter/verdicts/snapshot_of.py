"""Builds the target snapshot from the state of a target."""

from __future__ import annotations

import math
from dataclasses import replace

from pprof_exporter.averages import median_of
from pprof_exporter.catalog import Family, Outcome, content
from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.config import MIN_AUDIT_WINDOW, AuditWhen
from pprof_exporter.scrape import ProfileState, TargetState, is_fresh
from pprof_exporter.scrape.state.canary import CanaryState, During
from pprof_exporter.scrape.state.observation import Observation
from pprof_exporter.scrape.state.top_k import OTHER
from pprof_exporter.verdicts.snapshot import FetchSummary, LatencySummary, ProfileSnapshot, TargetSnapshot

# Functions that a sentence names.
_HOLDERS = 3
# Seconds of life that a mean since the start needs.
_SHORTEST_LIFE = 60.0
# As many cheap requests as there are fetches that decide whether a profile is slow.
_LATEST = 5
_HOUR, _DAY = 3600.0, 86_400.0
# Fetches that tell a pattern, of a profile that is fetched less often than that in an hour.
_FEW = 5


def snapshot_of(state: TargetState, now: float) -> TargetSnapshot:
    """The snapshot of a target at `now` (Unix time). Values that are too old are left out."""
    known = state.identity
    profiles = {
        name: _profile(profile)
        for name, profile in state.profiles.items()
        if profile.latest and is_fresh(profile.latest.at, name, profile.counters, settings=state.settings, now=now)
    }
    return TargetSnapshot(
        at=now,
        up=state.up,
        down=state.index_problem,
        hangs=dict(state.wedge.hangs),
        handler_windows=state.delays.windows(),
        system=known.system,
        go_version=known.go_version,
        program=known.program,
        bugs=known.known_bugs,
        foreign=tuple(known.foreign_modules),
        several=known.process.several,
        restarts=known.process.restarts_since(now - _HOUR),
        overloaded=state.exporter_load.overloaded,
        changed=known.last_event.values if known.last_event else {},
        changes={change: now - at for change, at in known.last_change.items()},
        fingerprinted=known.system is not None or known.go.lowest is not None,
        comparison=known.comparison,
        profiles=profiles,
        fetches={name: _fetches(state, name) for name, counters in state.counters.items() if counters.outcomes},
        audit=state.sampling_clock.latest,
        audit_processors=state.sampling_clock.processors,
        audit_failure=state.sampling_clock.failure,
        audit_off=_audit_off(state),
        canary_at_rest=_latency(state.canary, During.REST),
        canary_profiled=_latency(state.canary, During.PROFILE),
        differences=state.latency_differences(),
        profiler_memory=state.memstats.figures.buck_hash_sys if state.memstats.figures else None,
        contention={"block": state.contention.block, "mutex": state.contention.mutex},
        waiting_for_locks=state.contention.waiting_for_locks,
        waited_since_start=_waited_since_start(state),
        lock_holders=_lock_holders(state),
        gc_cpu=state.gc.cpu,
        collections=state.gc.collections,
        gogc=state.settings_of_runtime.gogc,
        processors=state.settings_of_runtime.processors,
        cpu_limit=state.cgroup.latest.processors if state.cgroup.latest else None,
        throttling=state.cgroup.recent,
        profile_counts={name: profile.read for name, profile in state.profiles.items()},
        growth=_rises(state),
        recent={what: recent.parts(known.process.started) for what, recent in state.growth.recent.items()},
        restarts_after_growth=state.growth.restarts_since(now - _DAY),
        memory_limit=state.memory_limits.least,
        profiling=state.budget.share,
        budget=state.settings.budget,
    )


def _audit_off(state: TargetState) -> str:
    cpu = state.settings.profiles["cpu"]
    if state.settings.audit is AuditWhen.OFF:
        return "audits are switched off"
    if not cpu.enabled:
        return "an audit runs during a CPU profile, and these are switched off"
    if cpu.window < MIN_AUDIT_WINDOW:
        return f"an audit takes a CPU profile of {MIN_AUDIT_WINDOW:g} s or more, and the window is {cpu.window:g} s"
    return ""


def _profile(profile: ProfileState) -> ProfileSnapshot:
    *earlier, latest = (_one(profile, one) for one in profile.latest_few)
    return replace(latest, earlier=tuple(earlier))


def _one(profile: ProfileState, latest: Observation) -> ProfileSnapshot:
    sums = {family: total for family, total in profile.kind.by_family(latest.sums).items() if total is not None}
    if profile.kind.profiled is not None:
        sums[profile.kind.profiled] = latest.profiled
    return ProfileSnapshot(latest.took, latest.samples, sums, latest.readings)


def _fetches(state: TargetState, name: str) -> FetchSummary:
    counters, delay = state.counters[name], state.delays.by_profile.get(name)
    interval = state.settings.index_interval if name == INDEX else state.settings.profiles[name].interval
    in_an_hour = math.ceil(_HOUR / interval)
    succeeded = counters.outcomes[Outcome.SUCCESS]
    return FetchSummary(
        failure=counters.last_failure,
        succeeded=succeeded,
        busy=counters.outcomes[Outcome.BUSY],
        failed=counters.outcomes[Outcome.FAILURE],
        mean_latency=counters.latency.sum / succeeded if succeeded else None,
        median_latency=counters.recent.median,
        overdue=counters.overdue,
        lately=tuple(counters.ended.latest(max(in_an_hour, _FEW))) if interval < _DAY else None,
        undecided=delay is not None and delay.undecided,
    )


def _latency(canary: CanaryState, during: During) -> LatencySummary | None:
    recent = list(canary.recent_of[during])
    if not recent:
        return None
    return LatencySummary(len(recent), median_of(recent), canary.failures[during], median_of(recent[-_LATEST:]))


def _waited_since_start(state: TargetState) -> float | None:
    mutex, started = state.profiles.get("mutex"), state.identity.process.started
    if mutex is None or mutex.latest is None or started is None or mutex.latest.at - started < _SHORTEST_LIFE:
        return None
    total = _profile(mutex).sums.get(content.CONTENTION_SECONDS)
    return None if total is None else total / (mutex.latest.at - started)


def _lock_holders(state: TargetState) -> tuple[str, ...]:
    mutex = state.profiles.get("mutex")
    if mutex is None:
        return ()
    weights = next(
        (
            found
            for value, found in zip(mutex.kind.values, mutex.top_functions, strict=True)
            if value.by_function is content.FUNCTION_CONTENTION and found
        ),
        {},
    )
    named = [name for name, weight in weights.items() if name != OTHER and weight > 0]
    return tuple(sorted(named, key=weights.__getitem__, reverse=True)[:_HOLDERS])


def _rises(state: TargetState) -> dict[Family, dict[str, float]]:
    return {
        value.growth_rule.family: rises
        for profile in state.profiles.values()
        for value, rises in zip(profile.kind.values, profile.growing_functions, strict=True)
        if value.growth_rule is not None and rises
    }
