"""Builds the target snapshot from the state of a target."""

from __future__ import annotations

from pprof_exporter.catalog import Family, Outcome
from pprof_exporter.scrape import FetchCounters, ProfileState, TargetState, is_fresh
from pprof_exporter.scrape.state.canary import CanaryState, During
from pprof_exporter.verdicts.snapshot import FetchSummary, LatencySummary, ProfileSnapshot, TargetSnapshot


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
        overloaded=state.exporter_load.overloaded,
        changed=known.last_event.values if known.last_event else {},
        changes={change: now - at for change, at in known.last_change.items()},
        fingerprinted=known.system is not None or known.go.lowest is not None,
        comparison=known.comparison,
        profiles=profiles,
        fetches={name: _fetches(counters) for name, counters in state.counters.items() if counters.outcomes},
        audit=state.sampling_clock.latest,
        audit_processors=state.sampling_clock.processors,
        audit_unsupported=bool(state.sampling_clock.unsupported),
        canary_at_rest=_latency(state.canary, During.REST),
        canary_profiled=_latency(state.canary, During.PROFILE),
        differences=state.latency_differences(),
        profiler_memory=state.memstats.latest.buck_hash_sys if state.memstats.latest else None,
        contention={"block": state.contention.block, "mutex": state.contention.mutex},
        profile_counts={name: profile.read for name, profile in state.profiles.items()},
        growth=_rises(state),
        profiling=state.budget.share,
        budget=state.settings.budget,
    )


def _profile(profile: ProfileState) -> ProfileSnapshot:
    latest = profile.latest
    assert latest is not None  # noqa: S101 - the caller checks it
    sums: dict[Family, float] = {
        value.family: total for value, total in zip(profile.kind.values, latest.sums, strict=True) if total is not None
    }
    if profile.kind.profiled is not None:
        sums[profile.kind.profiled] = latest.profiled
    return ProfileSnapshot(latest.took, latest.samples, sums, latest.readings)


def _fetches(counters: FetchCounters) -> FetchSummary:
    succeeded = counters.outcomes[Outcome.SUCCESS]
    return FetchSummary(
        reason=counters.last_reason,
        problem=counters.last_problem,
        succeeded=succeeded,
        busy=counters.outcomes[Outcome.BUSY],
        failed=counters.outcomes[Outcome.FAILURE],
        mean_latency=counters.latency.sum / succeeded if succeeded else None,
        overdue=counters.overdue,
    )


def _latency(canary: CanaryState, during: During) -> LatencySummary | None:
    count = sum(canary.counts[during])
    return LatencySummary(count, canary.sums[during] / count, canary.failures[during]) if count else None


def _rises(state: TargetState) -> dict[Family, dict[str, float]]:
    return {
        value.growth_rule.family: rises
        for profile in state.profiles.values()
        for value, rises in zip(profile.kind.values, profile.growing_functions, strict=True)
        if value.growth_rule is not None and rises
    }
