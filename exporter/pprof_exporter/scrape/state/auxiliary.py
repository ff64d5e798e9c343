"""What the auxiliary collectors found: memory statistics, printed stacks, audits of the sampling clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque

from pprof_exporter.catalog import Outcome, runtime, sampling
from pprof_exporter.health import TickAudit, new_pauses, pauses_within, unseen_collections
from pprof_exporter.profile import Dump, MemStats, creators, longest_wait
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.top_k import TopK


class MemStatsState:
    """The latest MemStats of a target, and the pauses that were seen since the first."""

    def __init__(self) -> None:
        self.counters = FetchCounters()
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


class StacksState:
    """What the latest text says."""

    def __init__(self, functions: int) -> None:
        self.counters = FetchCounters()
        self.at: float | None = None
        self.creators: dict[str, float] = {}
        self.longest_wait: dict[str, float] = {}
        self._ranking = TopK(functions)

    def record(self, dump: Dump, at: float) -> None:
        """Take in a text that was asked for at `at` (Unix time)."""
        self.at = at
        self.creators = self._ranking.update({name: float(count) for name, count in creators(dump).items()})
        self.longest_wait = longest_wait(dump)


class SamplingClockState:
    """Intervals add up over audits; all else is of the latest."""

    def __init__(self) -> None:
        self.wanted = True
        """An audit is due: the target is new, or something about it changed."""
        self.asked_at = 0.0
        self.at: float | None = None
        self.latest: TickAudit | None = None
        self.processors: float | None = None
        self.outcomes: Counter[Outcome] = Counter()
        self.unsupported = 0
        self.counts = [0] * (len(sampling.TICK_BUCKETS) + 1)
        self.sum = 0.0

    def record(self, found: TickAudit, now: float, processors: float | None) -> None:
        """Take in an audit; `processors` is how many the target kept busy meanwhile, None if that is not known."""
        self.processors = processors
        self.outcomes[Outcome.SUCCESS] += 1
        self.latest, self.at = found, now
        if found.buckets is not None:
            self.counts = [one + more for one, more in zip(self.counts, found.buckets, strict=True)]
            self.sum += sum(found.intervals)
