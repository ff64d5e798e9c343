"""F11: the pauses of garbage collection, by `runtime.MemStats`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pprof_exporter.profile import NANOSECONDS
from pprof_exporter.profile.memstats import PAUSE_RING, MemStats


@dataclass(frozen=True, slots=True)
class GcPause:
    """The pause of one collection: seconds of both stops of the world, and Unix time of the end of the second."""

    seconds: float
    end: float


def new_pauses(before: MemStats | None, after: MemStats) -> tuple[GcPause, ...]:
    """Pauses of the collections since `before`, oldest first. A sequence of replies gives each pause exactly once.

    If `before` is None or from before a restart, the result is the whole ring of up to 256. There may have been more:
    see `unseen_collections`.
    """
    held = min(_passed(before, after), PAUSE_RING)
    slots = [collection % PAUSE_RING for collection in range(after.num_gc - held, after.num_gc)]
    return tuple(GcPause(after.pause_ns[slot] / NANOSECONDS, after.pause_end[slot] / NANOSECONDS) for slot in slots)


def unseen_collections(before: MemStats | None, after: MemStats) -> int:
    """Collections since `before` (None: since the process started) that the ring of `after` no longer holds."""
    return max(0, _passed(before, after) - PAUSE_RING)


def pauses_within(pauses: Iterable[GcPause], start: float, end: float) -> tuple[GcPause, ...]:
    """Pauses that ended in a window of Unix seconds by the clock of the target: from `start`, before `end`."""
    return tuple(pause for pause in pauses if start <= pause.end < end)


def _passed(before: MemStats | None, after: MemStats) -> int:
    if before is None or not _same_process(before, after):
        return after.num_gc
    return after.num_gc - before.num_gc


def _same_process(before: MemStats, after: MemStats) -> bool:
    """Whether both are of one process: the count did not fall, and the last known pause is still in the ring."""
    passed = after.num_gc - before.num_gc
    if passed < 0:
        return False
    if before.num_gc == 0 or passed >= PAUSE_RING:
        return True
    latest = (before.num_gc - 1) % PAUSE_RING
    return after.pause_end[latest] == before.pause_end[latest]
