"""F11: what the garbage collector did meanwhile: its pauses by `runtime.MemStats`, its share of a CPU profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pprof_exporter.profile import NANOSECONDS, Location, Profile
from pprof_exporter.profile.memstats import RING, MemStats

# Beginnings, since on the stack of a thread a closure may stand without the function around it:
# `runtime.gcDrain < runtime.gcBgMarkWorker.func2 < runtime.systemstack`, `runtime.gcMarkTermination.func3 < ...`.
COLLECTOR = (
    "runtime.gcBgMarkWorker",
    "runtime.gcAssistAlloc",
    "runtime.gcDrain",
    "runtime.gcStart",
    "runtime.gcMarkDone",
    "runtime.gcMarkTermination",
    "runtime.bgsweep",
    "runtime.bgscavenge",
)
"""How the functions begin that only run for the collector (runtime/mgc.go, mgcmark.go, mgcsweep.go, mgcscavenge.go)."""


@dataclass(frozen=True, slots=True)
class Pause:
    """One collection: how many seconds it stopped the world, both stops together, and when the second ended (Unix)."""

    seconds: float
    end: float


def new_pauses(before: MemStats | None, after: MemStats) -> tuple[Pause, ...]:
    """Pauses of the collections since `before`, oldest first; over a sequence of replies each is told exactly once.

    None, or a process that has restarted since, gives all that the ring of 256 still holds. More may have passed:
    see `unseen_collections`.
    """
    held = min(_passed(before, after), RING)
    slots = [collection % RING for collection in range(after.num_gc - held, after.num_gc)]
    return tuple(Pause(after.pause_ns[slot] / NANOSECONDS, after.pause_end[slot] / NANOSECONDS) for slot in slots)


def unseen_collections(before: MemStats | None, after: MemStats) -> int:
    """Collections since `before` (None: since the process started) that the ring of `after` no longer holds."""
    return max(0, _passed(before, after) - RING)


def pauses_within(pauses: Iterable[Pause], start: float, end: float) -> tuple[Pause, ...]:
    """Pauses that ended in a window of Unix seconds by the clock of the target: from `start`, before `end`."""
    return tuple(pause for pause in pauses if start <= pause.end < end)


def collector_value(profile: Profile, index: int) -> int:
    """Sum of the values at `index` of the samples with a function of the collector anywhere on their stack.

    Of CPU time, a quarter of the processors is what Go sets aside for marking while a collection runs; the assists of
    goroutines that allocate come on top (runtime/mgcpacer.go gcBackgroundUtilization).
    """
    collector = {known for known, location in profile.locations.items() if _is_collector(location)}
    return sum(sample.values[index] for sample in profile.samples if not collector.isdisjoint(sample.stack))


def _passed(before: MemStats | None, after: MemStats) -> int:
    if before is None or not _same_process(before, after):
        return after.num_gc
    return after.num_gc - before.num_gc


def _same_process(before: MemStats, after: MemStats) -> bool:
    """Whether `after` can go on from `before`: the count did not fall, and the last pause known still stands there."""
    passed = after.num_gc - before.num_gc
    if passed < 0:
        return False
    if before.num_gc == 0 or passed >= RING:
        return True
    latest = (before.num_gc - 1) % RING
    return after.pause_end[latest] == before.pause_end[latest]


def _is_collector(location: Location) -> bool:
    return any(line.function.name.startswith(COLLECTOR) for line in location.lines)
