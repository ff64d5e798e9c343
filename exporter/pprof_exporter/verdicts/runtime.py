"""F11 and F18: garbage collection, the profilers of the runtime, and contention."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality
from pprof_exporter.verdicts.phrases import joined, percent
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


def lock_contention(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F18: contention, which only block and mutex profiling show."""
    off = [name for name, on in snapshot.contention.items() if on is False]
    unclear = [name for name in ("block", "mutex") if snapshot.contention.get(name) is None]
    notes = [
        Note(f"The {name} profile is empty because the program does not record it, which is Go's default.")
        for name in off
    ]
    if unclear:
        said = f"Whether {joined(unclear)} profiling is on is unknown until the profile has a record."
        return noted(unknown(said), notes)
    if off:
        return noted(unknown(f"Contention is not measured: {joined(off)} profiling is off."), notes)
    return healthy("Block and mutex profiling are on.")
