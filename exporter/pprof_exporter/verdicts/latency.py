"""F5 and F6: how fast the target answers."""

from __future__ import annotations

from pprof_exporter.catalog import content
from pprof_exporter.profile import KINDS, System
from pprof_exporter.verdicts.phrases import seconds
from pprof_exporter.verdicts.resources import cpu_throttled
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


def slow_profiles(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F5: profiles are slow, and cheap requests are not. Every figure is a median of three to five fetches."""
    if snapshot.overloaded:
        return unknown(EXPORTER_OVERLOADED)
    medians = {
        name: fetches.median_latency
        for name, fetches in snapshot.fetches.items()
        if name in snapshot.profiles and fetches.median_latency is not None
    }
    cheap = _cheap_request(snapshot, limit)
    shared = limit["fetch_slow_factor"] * cheap
    findings = [_slow(snapshot, name, median, limit) for name, median in medians.items() if median > shared]
    findings += [_costly(snapshot, cause, median, limit) for cause, median in snapshot.differences.items()]
    if not medians:
        return wrong(findings, _few_fetches(snapshot, limit))
    slowest = max(medians, key=medians.__getitem__)
    said = f"The slowest profile, {slowest}, took {seconds(medians[slowest])}: the median of its latest fetches."
    if limit["fetch_slow"] < medians[slowest] <= shared:
        said += f" A cheap request takes {seconds(cheap)}: the host or the network is slow, not the profile."
    return wrong(findings, healthy(said))


def _cheap_request(snapshot: TargetSnapshot, limit: VerdictLimits) -> float:
    """Seconds that a request takes which costs the target nothing; 0, which explains no slowness, with too few.

    A busy host and a slow network delay it as they delay profiles.
    """
    rest = snapshot.canary_at_rest
    return max(rest.median, rest.latest) if rest is not None and _enough(rest, limit) else 0.0


def _few_fetches(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    latencies = {name: profile.took for name, profile in snapshot.profiles.items() if profile.took is not None}
    if not latencies:
        return unknown("No latency of a profile has been measured yet.")
    slowest = max(latencies, key=latencies.__getitem__)
    said = f"The slowest profile, {slowest}, took {seconds(latencies[slowest])}"
    # One fast fetch shows that the target is not slow; one slow fetch shows nothing.
    if latencies[slowest] <= limit["fetch_slow"]:
        return healthy(f"{said}.")
    return unknown(f"{said}, which one fetch does not prove: three are needed.")


def _slow(snapshot: TargetSnapshot, name: str, median: float, limit: VerdictLimits) -> Finding | None:
    usual = snapshot.fetches[name].mean_latency
    said = f"The {name} profile took {seconds(median)}, the median of its latest fetches without their windows"
    if median > limit["fetch_very_slow"]:
        return Finding(Level.WARNING, f"{said}.", "PprofFetchSlow")
    if usual is None or KINDS[name].collects:
        return None
    if median > limit["fetch_slow"] and median > limit["fetch_slow_factor"] * usual:
        return Finding(Level.WARNING, f"{said}; the mean of all its fetches is {seconds(usual)}.", "PprofFetchSlow")
    return None


def _costly(snapshot: TargetSnapshot, cause: str, median: float, limit: VerdictLimits) -> Finding | None:
    """A cause is named only where there is enough of it: modules, heap records or goroutines."""
    # Modules are few everywhere; what there is to walk grows with the program, and so does the time for it.
    if median <= limit["latency_difference" if cause == "modules" else "latency_difference_large"]:
        return None
    heap, goroutine = snapshot.profiles.get("heap"), snapshot.profiles.get("goroutine")
    records = heap.samples if heap else 0
    goroutines = goroutine.sums.get(content.PROFILED_GOROUTINES, 0) if goroutine else 0
    took = f"{seconds(median)} of a profile, the median of the latest ones,"
    if cause == "modules" and snapshot.system is System.WINDOWS:
        said = f"{took} is spent on listing modules: Windows looks up each one on disk, and virus scanners delay that."
    elif cause == "heap" and records >= limit["heap_many_records"]:
        said = f"{took} is spent on walking the heap records; there are {records}."
    elif cause == "goroutines" and goroutines >= limit["goroutine_many_stacks"]:
        said = f"{took} is spent on collecting goroutine stacks; there are {goroutines:.0f}."
    else:
        return None
    return Finding(Level.WARNING, said, "PprofProfileCostly", cause)


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
    findings += [finding for finding in [cpu_throttled(snapshot, limit)] if finding is not None]
    if snapshot.overloaded:
        return wrong(findings, unknown(EXPORTER_OVERLOADED))
    rest, profiled = snapshot.canary_at_rest, snapshot.canary_profiled
    if not _enough(rest, limit) or not _enough(profiled, limit) or rest is None or profiled is None:
        counts = f"{profiled.count if profiled else 0} during CPU profiles and {rest.count if rest else 0} between them"
        return wrong(
            findings, unknown(f"{limit['canaries']:.0f} cheap requests of each kind are needed; {counts} were timed.")
        )
    if (
        profiled.median > limit["perturbation_factor"] * rest.median
        and profiled.median - rest.median > limit["perturbation_least"]
    ):
        findings.append(Finding(Level.WARNING, _beside(profiled, rest), "PprofProfilingPerturbs"))
    return wrong(findings, healthy(_beside(profiled, rest)))


def _beside(profiled: LatencySummary, rest: LatencySummary) -> str:
    medians = f"{seconds(profiled.median)} during a CPU profile and {seconds(rest.median)} otherwise"
    return f"A cheap request takes {medians}, by the medians of the latest ones."


def _enough(latency: LatencySummary | None, limit: VerdictLimits) -> bool:
    return latency is not None and latency.count >= limit["canaries"]
