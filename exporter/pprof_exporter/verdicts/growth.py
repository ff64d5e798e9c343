"""F10 and F12: goroutines and memory that grow."""

from __future__ import annotations

from pprof_exporter.catalog import content
from pprof_exporter.health import is_steady
from pprof_exporter.health.growth import RISES
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.verdicts.resources import many_threads
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
        else None,
        many_threads(snapshot, limit),
        _goroutines_grow_fast(snapshot.recent.get(Growing.GOROUTINES, ()), limit),
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
    """F12: the live heap grows."""
    findings = [
        _heap_grows_fast(snapshot.recent.get(Growing.HEAP, ()), snapshot.memory_limit, limit),
        *(_restarts(what, count, limit) for what, count in snapshot.restarts_after_growth.items()),
    ]
    notes = [
        Note(
            f"The live heap of {function} grew in each of the last {RISES} profiles, by {rise / _MIB:.1f} MiB in all.",
            "PprofHeapGrowth",
        )
        for function, rise in snapshot.growth.get(content.HEAP_GROWTH, {}).items()
    ]
    what = "function gained live heap"
    return noted(wrong(findings, _growth_otherwise(snapshot, "heap", what, growing=bool(notes))), notes)


def _goroutines_grow_fast(parts: tuple[float, ...], limit: VerdictLimits) -> Finding | None:
    """By the condition of the alert."""
    if not is_steady(parts, share=limit["growth_share"]):
        return None
    rise, now = parts[-1] - parts[0], parts[-1]
    in_an_hour = limit["growth_fast_spans"] * rise
    if (
        rise <= limit["goroutine_fast_least"]
        or now + in_an_hour <= limit["goroutines_many"]
        or in_an_hour <= limit["growth_fast_factor"] * now
    ):
        return None
    said = f"{rise:.0f} goroutines more than ten minutes ago: at this rate {now + in_an_hour:.0f} in an hour."
    return Finding(Level.WARNING, said, "PprofGoroutinesGrowFast")


def _heap_grows_fast(parts: tuple[float, ...], most: float | None, limit: VerdictLimits) -> Finding | None:
    """By the condition of the alert."""
    if not is_steady(parts, share=limit["growth_share"]):
        return None
    rise, now = parts[-1] - parts[0], parts[-1]
    more = limit["growth_fast_spans"] * rise
    said = (
        f"The live heap is {rise / _MIB:.0f} MiB larger than ten minutes ago: at this rate {(now + more) / _MIB:.0f} "
        "MiB in an hour"
    )
    if most is None:
        fast = rise > limit["heap_fast_least"] and more > limit["growth_fast_factor"] * now
        return Finding(Level.WARNING, f"{said}.", "PprofHeapGrowsFast") if fast else None
    full = limit["heap_full"] * most
    if rise <= limit["heap_fast_share"] * most or now + more <= full:
        return None
    level = Level.CRITICAL if now > full and now + more > most else Level.WARNING
    return Finding(level, f"{said}, of a memory limit of {most / _MIB:.0f} MiB.", "PprofHeapGrowsFast")


def _restarts(what: Growing, count: int, limit: VerdictLimits) -> Finding | None:
    if count < limit["restarts_after_growth"]:
        return None
    grew = "live heap" if what is Growing.HEAP else "goroutine count"
    said = f"{count} processes ended within a day after their {grew} had grown to the end of their life."
    return Finding(Level.WARNING, said, "PprofRestartsAfterGrowth")


def _growth_otherwise(snapshot: TargetSnapshot, profile: str, what: str, *, growing: bool) -> CheckOutcome:
    if growing:
        return healthy("A few profiles in a row show growth, which is usual; alerts judge growth over hours.")
    looks = snapshot.profile_counts.get(profile, 0)
    if looks <= RISES:
        return unknown(f"Growth shows after {RISES + 1} {profile} profiles; {looks} have been read.")
    return healthy(f"No {what} in each of the last {RISES} profiles; alerts judge growth over hours.")
