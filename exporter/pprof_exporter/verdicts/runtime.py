"""F11 and F18: garbage collection, the profilers of the runtime, and contention."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality
from pprof_exporter.verdicts.phrases import joined, percent
from pprof_exporter.verdicts.snapshot import ENOUGH_PROFILES, TargetSnapshot
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
_LEAST_SHOWN = 0.01


def garbage_collection(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F11: garbage collection takes much CPU time, or the profilers of the runtime much memory."""
    memory, share = snapshot.profiler_memory, _gc_share(snapshot, limit)
    findings = (
        Finding(
            Level.WARNING,
            f"{percent(share)} of the CPU samples are garbage collection.{''.join(_gc_causes(snapshot, limit))}",
            "PprofGcPressure",
        )
        if share is not None and _gc_presses(snapshot, limit)
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


def _gc_share(snapshot: TargetSnapshot, limit: VerdictLimits) -> float | None:
    """Share of the samples of two hours if these are enough, else of the latest CPU profiles; None: too few samples."""
    recent = snapshot.gc_cpu
    return recent.share if recent.samples >= limit["gc_enough_samples"] else _latest_gc_share(snapshot, limit)


def _latest_gc_share(snapshot: TargetSnapshot, limit: VerdictLimits) -> float | None:
    cpu = snapshot.profiles.get("cpu")
    few = cpu.latest_few if cpu else ()
    taken = sum(one.sums.get(content.CPU_SAMPLES, 0) for one in few)
    spent = [share for one in few if (share := one.reading(quality.CPU_GC)) is not None]
    enough = limit["cpu_enough_samples" if len(few) >= ENOUGH_PROFILES else "gc_enough_samples"]
    return sum(spent) / taken if spent and taken >= enough else None


def _gc_presses(snapshot: TargetSnapshot, limit: VerdictLimits) -> bool:
    """Whether the latest CPU profiles of a busy target shows it, or two hours of any; see rules/memory."""
    latest, recent = _latest_gc_share(snapshot, limit), snapshot.gc_cpu
    sampled, profiled = _spent(snapshot)
    if latest is not None and latest > limit["gc_samples"] and sampled > limit["gc_busy"] * profiled:
        return True
    if recent.share is None or recent.samples < limit["gc_enough_samples"]:
        return False
    found = snapshot.collections
    if found and found.per_hour is not None and found.per_hour <= limit["gc_cycles_at_rest"]:
        return False
    costs = recent.processors > limit["gc_processors"] or (
        snapshot.cpu_limit is not None and recent.processors > limit["gc_limit_share"] * snapshot.cpu_limit
    )
    least = limit["gc_samples_avoidable"] if _gc_causes(snapshot, limit) else limit["gc_samples"]
    return costs and recent.share > least


def _gc_causes(snapshot: TargetSnapshot, limit: VerdictLimits) -> list[str]:
    """Settings of the program that make it collect often, a sentence each, with a space before it."""
    found, gogc = snapshot.collections, snapshot.gogc
    causes = []
    if found and found.forced is not None and found.forced > limit["gc_forced"] * found.cycles:
        causes.append(f" The program itself requests {percent(found.forced / found.cycles)} of its collections.")
    if found and found.least_fill is not None and found.least_fill > limit["gc_heap_fill"]:
        known = "" if gogc is None else f" ({100 * gogc:.0f})"
        causes.append(
            f" The heap is never below {percent(found.least_fill)} of the size at which the next collection starts: "
            f"GOGC{known} is low, or GOMEMLIMIT is close."
        )
    elif gogc is not None and gogc < limit["gogc_low"]:
        causes.append(f" GOGC is {100 * gogc:.0f}; Go's default is 100.")
    return causes


def _spent(snapshot: TargetSnapshot) -> tuple[float, float]:
    """CPU seconds of the latest CPU profiles, and the wall seconds that they cover."""
    few = snapshot.profiles["cpu"].latest_few if "cpu" in snapshot.profiles else ()
    sampled, profiled = (
        sum(one.sums.get(family, 0) for one in few) for family in (content.CPU_SAMPLED, content.CPU_PROFILED)
    )
    return sampled, profiled


def lock_contention(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F18: goroutines wait for locks, which only mutex profiling shows."""
    off = [name for name, on in snapshot.contention.items() if on is False]
    notes = [
        Note(f"The {name} profile is empty because the program does not record it, which is Go's default.")
        for name in off
    ]
    return noted(wrong([_contended(snapshot, limit)], _waiting(snapshot)), notes)


def _waiting(snapshot: TargetSnapshot) -> CheckOutcome:
    mutex, (waiting, when) = snapshot.contention.get("mutex"), _waiters(snapshot)
    if mutex is False:
        return unknown("Contention is not measured: mutex profiling is off.")
    if mutex is None:
        return unknown("Whether mutex profiling is on is unknown until the profile has a record.")
    if waiting is None:
        return unknown("How long goroutines wait for locks shows after two mutex profiles.")
    number = f"{waiting:.2g}" if waiting >= _LEAST_SHOWN else f"Fewer than {_LEAST_SHOWN}"
    return healthy(f"{number} goroutines wait for a lock at any time{when}.")


def _contended(snapshot: TargetSnapshot, limit: VerdictLimits) -> Finding | None:
    (waiting, when), (sampled, profiled) = _waiters(snapshot), _spent(snapshot)
    if waiting is None or waiting <= limit["lock_contention"]:
        return None
    if profiled and waiting <= limit["lock_contention_factor"] * sampled / profiled:
        return None
    where = f" Most of it is in {joined(snapshot.lock_holders)}." if snapshot.lock_holders else ""
    said = f"{waiting:.3g} goroutines wait for a lock at any time{when}.{where}"
    return Finding(Level.WARNING, said, "PprofLockContention")


def _waiters(snapshot: TargetSnapshot) -> tuple[float | None, str]:
    """How many goroutines wait for a lock in the mean, and of when that is."""
    if snapshot.waiting_for_locks is not None:
        return snapshot.waiting_for_locks, ""
    return snapshot.waited_since_start, ", in the mean since its start"
