"""F5 and F6: how fast the target answers."""

from __future__ import annotations

from pprof_exporter.verdicts.phrases import seconds
from pprof_exporter.verdicts.snapshot import LatencySummary, TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    EXPORTER_OVERLOADED,
    CheckOutcome,
    Finding,
    Level,
    VerdictLimits,
    healthy,
    unknown,
    wrong,
)

_WORK = {"modules": "listing modules", "heap": "walking heap records", "goroutines": "collecting goroutine stacks"}


def slow_profiles(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F5: profiles are slow."""
    if snapshot.overloaded:
        return unknown(EXPORTER_OVERLOADED)
    latencies = {name: profile.took for name, profile in snapshot.profiles.items() if profile.took is not None}
    findings = [_slow(snapshot, name, took, limit) for name, took in latencies.items()]
    findings += [
        Finding(
            Level.WARNING,
            f"{seconds(difference)} of a profile is spent on {_WORK[cause]}.",
            "PprofProfileCostly",
            cause,
        )
        for cause, difference in snapshot.differences.items()
        if difference > limit["latency_difference"]
    ]
    if not latencies:
        return wrong(findings, unknown("No profile has been fetched yet."))
    slowest = max(latencies, key=latencies.__getitem__)
    return wrong(findings, healthy(f"The slowest profile, {slowest}, took {seconds(latencies[slowest])}."))


def _slow(snapshot: TargetSnapshot, name: str, took: float, limit: VerdictLimits) -> Finding | None:
    fetches = snapshot.fetches.get(name)
    usual = fetches.mean_latency if fetches else None
    if took > limit["fetch_very_slow"]:
        said = f"The {name} profile took {seconds(took)}, not counting its window."
    elif usual is not None and took > limit["fetch_slow"] and took > limit["fetch_slow_factor"] * usual:
        said = f"The {name} profile took {seconds(took)}, not counting its window; its mean so far is {seconds(usual)}."
    else:
        return None
    return Finding(Level.WARNING, said, "PprofFetchSlow")


def stalls_while_profiled(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F6: the target stalls while it is profiled, or hangs."""
    findings = [
        Finding(
            Level.CRITICAL,
            f"The target accepts connections but does not reply to {name} requests.",
            "PprofTargetWedged",
        )
        for name, hangs in snapshot.hangs.items()
        if hangs
    ]
    if snapshot.overloaded:
        return wrong(findings, unknown(EXPORTER_OVERLOADED))
    rest, profiled = snapshot.canary_at_rest, snapshot.canary_profiled
    if not _enough(rest, limit) or not _enough(profiled, limit) or rest is None or profiled is None:
        least = f"{limit['canaries']:.0f} cheap requests during CPU profiles and {limit['canaries']:.0f} between them"
        return wrong(findings, unknown(f"Too few requests have been timed yet; {least} are needed."))
    if (
        profiled.mean > limit["perturbation_factor"] * rest.mean
        and profiled.mean - rest.mean > limit["perturbation_least"]
    ):
        said = (
            f"A cheap request takes {seconds(profiled.mean)} during a CPU profile and {seconds(rest.mean)} otherwise."
        )
        findings.append(Finding(Level.WARNING, said, "PprofProfilingPerturbs"))
    said = f"A cheap request takes {seconds(profiled.mean)} during a CPU profile, {seconds(rest.mean)} otherwise."
    return wrong(findings, healthy(said))


def _enough(latency: LatencySummary | None, limit: VerdictLimits) -> bool:
    return latency is not None and latency.count >= limit["canaries"]
