"""What `runtime.MemStats` at the end of heap?debug=1 says: pauses of the collector, and memory of the profilers."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from pprof_exporter.catalog import runtime
from pprof_exporter.health import new_pauses, pauses_within, unseen_collections
from pprof_exporter.profile import MemStats
from pprof_exporter.scrape.tally import Tally


class PauseState:
    """The latest MemStats of a target, and the pauses that were seen since the first."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.latest: MemStats | None = None
        self.at = 0.0
        self.pause_counts = [0] * (len(runtime.GC_PAUSE.buckets) + 1)
        self.pause_sum = 0.0
        self.unseen = 0
        self.within_windows = 0
        self._windows: deque[tuple[float, float]] = deque(maxlen=32)

    def profiled(self, start: float, end: float) -> None:
        """Note that a CPU profile ran from `start` to `end` (Unix time of the target)."""
        self._windows.append((start, end))

    def record(self, found: MemStats, at: float) -> None:
        """Take in a reply. What the ring holds at the first look was before our time, and is not counted."""
        if self.latest is not None:
            pauses = new_pauses(self.latest, found)
            self.unseen += unseen_collections(self.latest, found)
            for pause in pauses:
                self.pause_counts[bisect_left(runtime.GC_PAUSE.buckets, pause.seconds)] += 1
                self.pause_sum += pause.seconds
            self.within_windows += sum(len(pauses_within(pauses, start, end)) for start, end in self._windows)
        self.latest, self.at = found, at
