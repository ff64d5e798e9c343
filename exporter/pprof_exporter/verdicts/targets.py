"""F5, F6, F10, F11, F12 and F18: the state of the target itself."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality
from pprof_exporter.health.growth import RISES
from pprof_exporter.verdicts.phrases import joined, percent, seconds
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

_MIB = 2**20
_WORK = {"modules": "listing modules", "heap": "walking heap records", "goroutines": "collecting goroutine stacks"}


def slow_profiles(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F5: profiles are slow."""
    if snapshot.overloaded:
        return unknown(EXPORTER_OVERLOADED)
    latencies = {name: profile.took for name, profile in snapshot.profiles.items() if profile.took is not None}
    findings = [_slow(snapshot, name, took, limit) for name, took in latencies.items()]
    findings += [
        Finding(Level.WARNING, f"{seconds(difference)} of a profile is spent on {_WORK[cause]}.", "PprofProfileCostly")
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
    findings += [
        Finding(Level.WARNING, f"Go {snapshot.go_version} has {bug.id}: {bug.title}.", "PprofKnownBug")
        for bug in snapshot.bugs
        if bug.hangs
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


def goroutine_growth(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F10: goroutines pile up."""
    leaks = snapshot.profiles.get("goroutineleak")
    leaked = leaks.sums.get(content.LEAKED_GOROUTINES, 0) if leaks else 0
    findings = [
        Finding(
            Level.WARNING, f"{leaked:.0f} goroutines are leaked: they can never run again.", "PprofGoroutinesLeaked"
        )
        if leaked > 0
        else None,
        *(
            Finding(
                Level.INFO,
                f"{function} gained goroutines in each of the last {RISES} profiles, {rise:.0f} in all.",
                "PprofGoroutineGrowth",
            )
            for function, rise in snapshot.growth.get(content.GOROUTINE_GROWTH, {}).items()
        ),
    ]
    return wrong(findings, _not_growing(snapshot, "goroutine", "function gained goroutines"))


def garbage_collection(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F11: garbage collection takes much CPU time, or the profilers of the runtime much memory."""
    cpu, memory = snapshot.profiles.get("cpu"), snapshot.profiler_memory
    taken = cpu.sums.get(content.CPU_SAMPLES, 0) if cpu else 0
    sampled, profiled = _spent(snapshot)
    spent = cpu.reading(quality.CPU_GC) if cpu else None
    share = spent / taken if spent is not None and taken >= limit["cpu_enough_samples"] else None
    findings = (
        Finding(Level.WARNING, f"{percent(share)} of the CPU samples are garbage collection.", "PprofGcPressure")
        if share is not None and share > limit["gc_samples"] and sampled > limit["gc_busy"] * profiled
        else None,
        Finding(
            Level.WARNING, f"The profilers inside Go hold {memory / _MIB:.0f} MiB of memory.", "PprofProfilerMemoryHigh"
        )
        if memory is not None and memory > limit["profiler_memory"]
        else None,
    )
    known = [
        *([f"{percent(share)} of the CPU samples are garbage collection"] if share is not None else []),
        *([f"the profilers inside Go hold {memory / _MIB:.1f} MiB"] if memory is not None else []),
    ]
    if not known:
        return wrong(
            findings, unknown("Neither a CPU profile with enough samples nor memory statistics have been read yet.")
        )
    text = joined(known)
    return wrong(findings, healthy(f"{text[:1].upper()}{text[1:]}."))


def _spent(snapshot: TargetSnapshot) -> tuple[float, float]:
    """CPU seconds of the latest CPU profile, and the wall seconds that it covers."""
    sums = snapshot.profiles["cpu"].sums if "cpu" in snapshot.profiles else {}
    return sums.get(content.CPU_SAMPLED, 0), sums.get(content.CPU_PROFILED, 0)


def memory_growth(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F12: the live heap or the memory of the profiler grows."""
    findings = (
        Finding(
            Level.INFO,
            f"The live heap of {function} grew in each of the last {RISES} profiles, by {rise / _MIB:.1f} MiB in all.",
            "PprofHeapGrowth",
        )
        for function, rise in snapshot.growth.get(content.HEAP_GROWTH, {}).items()
    )
    return wrong(findings, _not_growing(snapshot, "heap", "function gained live heap"))


def _not_growing(snapshot: TargetSnapshot, profile: str, what: str) -> CheckOutcome:
    looks = snapshot.profile_counts.get(profile, 0)
    if looks <= RISES:
        return unknown(f"Growth shows after {RISES + 1} {profile} profiles; {looks} have been read.")
    return healthy(f"No {what} in each of the last {RISES} profiles; alerts judge growth over hours.")


def lock_contention(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F18: contention profiling is off."""
    off = [name for name, on in snapshot.contention.items() if on is False]
    unclear = [name for name in ("block", "mutex") if snapshot.contention.get(name) is None]
    findings = [
        Finding(Level.INFO, f"The {name} profile is empty because the program does not record it.", _OFF)
        for name in off
    ]
    if unclear:
        return wrong(
            findings, unknown(f"Whether {joined(unclear)} profiling is on is unknown until the profile has a record.")
        )
    return wrong(findings, healthy("Block and mutex profiling are on."))


_OFF = "PprofContentionProfileOff"
