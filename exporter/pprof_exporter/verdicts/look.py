"""From the state of a target to what is in sight of it now."""

from __future__ import annotations

from pprof_exporter.catalog import Family, Outcome
from pprof_exporter.scrape import ProfileState, Tally, TargetState, is_fresh
from pprof_exporter.scrape.canary import CanaryState, During
from pprof_exporter.verdicts.sight import Fetches, Latency, SeenProfile, Sight


def sight_of(state: TargetState, now: float) -> Sight:
    """What stands of a target at `now` (Unix time); what is too old is left out."""
    known = state.identity
    profiles = {
        name: _profile(profile)
        for name, profile in state.profiles.items()
        if profile.latest and is_fresh(profile.latest.at, name, profile.tally, settings=state.settings, now=now)
    }
    return Sight(
        up=state.up,
        down=state.index_problem,
        hangs=dict(state.wedge.hangs),
        system=known.system,
        go_version=known.go_version,
        program=known.program,
        bugs=known.bugs,
        foreign=tuple(known.foreign),
        changes={change: now - at for change, at in known.last_change.items()},
        fingerprinted=known.epoch is not None,
        comparison=known.comparison,
        profiles=profiles,
        fetches={name: _fetches(tally) for name, tally in state.tallies() if tally.outcomes},
        audit=state.ticks.latest,
        audit_processors=state.ticks.processors,
        audit_unsupported=bool(state.ticks.unsupported),
        canary_at_rest=_latency(state.canary, During.REST),
        canary_profiled=_latency(state.canary, During.PROFILE),
        differences=state.latency_differences(),
        profiler_memory=state.pauses.latest.buck_hash_sys if state.pauses.latest else None,
        contention={"block": state.contention.block, "mutex": state.contention.mutex},
        looks={name: profile.tally.outcomes[Outcome.SUCCESS] for name, profile in state.profiles.items()},
        rises=_rises(state),
        profiling=state.budget.share,
        budget=state.settings.budget,
    )


def _profile(profile: ProfileState) -> SeenProfile:
    latest = profile.latest
    assert latest is not None  # noqa: S101 - the caller has looked
    sums: dict[Family, float] = {
        value.family: total for value, total in zip(profile.kind.values, latest.sums, strict=True) if total is not None
    }
    if profile.kind.profiled is not None:
        sums[profile.kind.profiled] = latest.profiled
    return SeenProfile(latest.took, latest.samples, sums, latest.readings)


def _fetches(tally: Tally) -> Fetches:
    succeeded = tally.outcomes[Outcome.SUCCESS]
    return Fetches(
        reason=tally.last_reason,
        problem=tally.last_problem,
        succeeded=succeeded,
        busy=tally.outcomes[Outcome.BUSY],
        failed=tally.outcomes[Outcome.FAILURE],
        mean_latency=tally.latency.sum / succeeded if succeeded else None,
        overdue=tally.overdue,
    )


def _latency(canary: CanaryState, during: During) -> Latency | None:
    count = sum(canary.counts[during])
    return Latency(count, canary.sums[during] / count, canary.failures[during]) if count else None


def _rises(state: TargetState) -> dict[Family, dict[str, float]]:
    return {
        value.rise.family: rises
        for profile in state.profiles.values()
        for value, rises in zip(profile.kind.values, profile.rises, strict=True)
        if value.rise is not None and rises
    }
