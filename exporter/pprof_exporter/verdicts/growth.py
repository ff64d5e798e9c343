"""F10 and F12: goroutines and memory that grow."""

from __future__ import annotations

from pprof_exporter.catalog import content
from pprof_exporter.health.growth import RISES
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    CheckOutcome,
    Finding,
    Level,
    Note,
    VerdictLimits,
    healthy,
    noted,
    unknown,
    wrong,
)

_MIB = 2**20


def goroutine_growth(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F10: goroutines pile up."""
    leaks = snapshot.profiles.get("goroutineleak")
    leaked = leaks.sums.get(content.LEAKED_GOROUTINES, 0) if leaks else 0
    findings = [
        Finding(
            Level.WARNING, f"{leaked:.0f} goroutines are leaked: they can never run again.", "PprofGoroutinesLeaked"
        )
        if leaked > 0
        else None
    ]
    notes = [
        Note(
            f"{function} gained goroutines in each of the last {RISES} profiles, {rise:.0f} in all.",
            "PprofGoroutineGrowth",
        )
        for function, rise in snapshot.growth.get(content.GOROUTINE_GROWTH, {}).items()
    ]
    what = "function gained goroutines"
    return noted(wrong(findings, _growth_otherwise(snapshot, "goroutine", what, growing=bool(notes))), notes)


def memory_growth(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F12: the live heap or the memory of the profiler grows."""
    notes = [
        Note(
            f"The live heap of {function} grew in each of the last {RISES} profiles, by {rise / _MIB:.1f} MiB in all.",
            "PprofHeapGrowth",
        )
        for function, rise in snapshot.growth.get(content.HEAP_GROWTH, {}).items()
    ]
    return noted(_growth_otherwise(snapshot, "heap", "function gained live heap", growing=bool(notes)), notes)


def _growth_otherwise(snapshot: TargetSnapshot, profile: str, what: str, *, growing: bool) -> CheckOutcome:
    if growing:
        return healthy("A few profiles in a row show growth, which is usual; alerts judge growth over hours.")
    looks = snapshot.profile_counts.get(profile, 0)
    if looks <= RISES:
        return unknown(f"Growth shows after {RISES + 1} {profile} profiles; {looks} have been read.")
    return healthy(f"No {what} in each of the last {RISES} profiles; alerts judge growth over hours.")
