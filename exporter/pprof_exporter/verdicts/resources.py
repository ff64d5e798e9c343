"""What F6 and F10 have in common: CPU time beyond a limit, and threads that wait in the system."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality
from pprof_exporter.profile import GoroutineState
from pprof_exporter.verdicts.phrases import percent
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.verdict import Finding, Level, VerdictLimits


def cpu_throttled(snapshot: TargetSnapshot, limit: VerdictLimits) -> Finding | None:
    """F6: the CPU limit of its cgroup stops the target again and again."""
    recent = snapshot.throttling
    if recent.periods < limit["throttled_enough_periods"]:
        return None
    share = recent.throttled_periods / recent.periods
    if share <= limit["throttled"]:
        return None
    amount = "" if snapshot.cpu_limit is None else f" of {snapshot.cpu_limit:.3g} processors"
    said = (
        f"In {percent(share)} of the last half hour's periods the target used up its CPU limit{amount} and stood still."
    )
    return Finding(Level.WARNING, said, "PprofCpuThrottled")


def many_threads(snapshot: TargetSnapshot, limit: VerdictLimits) -> Finding | None:
    """F10: far more threads than processors, in use now, or near the number at which Go ends the program."""
    created = snapshot.profiles.get("threadcreate")
    threads = created.sums.get(content.THREADS_CREATED, 0) if created else 0
    if threads > limit["threads_severe"]:
        said = f"The target has {threads:.0f} threads; Go ends a program that needs 10,000."
        return Finding(Level.CRITICAL, said, "PprofThreadsHigh")
    processors = snapshot.processors
    few = processors is not None and threads <= limit["threads_per_processor"] * processors
    inside = _in_system_calls(snapshot)
    if threads <= limit["threads"] or few or inside <= limit["threads_in_use"]:
        return None
    said = f"The target has {threads:.0f} threads; {inside:.0f} goroutines are in system calls or calls of C."
    return Finding(Level.WARNING, said, "PprofThreadsHigh")


def _in_system_calls(snapshot: TargetSnapshot) -> float:
    goroutines = snapshot.profiles.get("goroutine")
    states = goroutines.readings if goroutines else ()
    wanted = (("state", GoroutineState.SYSCALL.value),)
    return sum(one.value or 0 for one in states if one.family is quality.GOROUTINE_STATES and one.labels == wanted)
