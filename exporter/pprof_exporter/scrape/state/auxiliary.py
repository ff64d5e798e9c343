"""State from the auxiliary collectors: memory statistics, printed stacks, audits of the sampling clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque

from pprof_exporter.catalog import Outcome, runtime, sampling
from pprof_exporter.health import TickAudit, new_pauses, pauses_within, unseen_collections
from pprof_exporter.profile import GoroutineDump, MemStats, goroutines_by_creator, longest_waits
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.top_k import TopK


class MemStatsState:
    """The latest MemStats of a target, and the GC pauses since the first."""

    def __init__(self) -> None:
        self.counters = FetchCounters()
        self.latest: MemStats | None = None
        self.at = 0.0
        self.pause_counts = [0] * (len(runtime.GC_PAUSE.buckets) + 1)
        self.pause_sum = 0.0
        self.unseen_collections = 0
        self.pauses_within_windows = 0
        self._windows: deque[tuple[float, float]] = deque(maxlen=32)

    def begin_process(self) -> None:
        """Forget the statistics of the process before."""
        self.latest, self.at = None, 0.0
        self._windows.clear()

    def add_window(self, start: float, end: float) -> None:
        """Add the window of a CPU profile that ran from `start` to `end` (Unix time of the target)."""
        self._windows.append((start, end))

    def record(self, found: MemStats, at: float) -> None:
        """Take in a reply. Pauses in the ring of the first reply happened earlier, and are not counted."""
        if self.latest is not None:
            pauses = new_pauses(self.latest, found)
            self.unseen_collections += unseen_collections(self.latest, found)
            for pause in pauses:
                self.pause_counts[bisect_left(runtime.GC_PAUSE.buckets, pause.seconds)] += 1
                self.pause_sum += pause.seconds
            self.pauses_within_windows += sum(len(pauses_within(pauses, start, end)) for start, end in self._windows)
        self.latest, self.at = found, at


class StacksState:
    """The content of the latest goroutine?debug=2."""

    def __init__(self, functions: int) -> None:
        self.counters = FetchCounters()
        self.at: float | None = None
        self.by_creator: dict[str, float] = {}
        self.longest_waits: dict[str, float] = {}
        self._functions = functions
        self._ranking = TopK(functions)

    def begin_process(self) -> None:
        """Forget the stacks of the process before."""
        self.at, self.by_creator, self.longest_waits = None, {}, {}
        self._ranking = TopK(self._functions)

    def record(self, dump: GoroutineDump, at: float) -> None:
        """Take in a text that was requested at `at` (Unix time)."""
        self.at = at
        self.by_creator = self._ranking.update(
            {name: float(count) for name, count in goroutines_by_creator(dump).items()}
        )
        self.longest_waits = longest_waits(dump)


class SamplingClockState:
    """Audits of the sampling clock. Intervals add up over audits; everything else is of the latest audit."""

    def __init__(self) -> None:
        self.audit_due = True
        """Whether the target is new or has changed since the last audit."""
        self.requested_at = 0.0
        self.at: float | None = None
        self.latest: TickAudit | None = None
        self.processors: float | None = None
        self.outcomes: Counter[Outcome] = Counter()
        self.unsupported = 0
        self.failure = ""
        """Why the latest trace brought no audit; "" if it did, or none was requested."""
        self.counts = [0] * (len(sampling.TICK_BUCKETS) + 1)
        self.sum = 0.0

    def begin_process(self) -> None:
        """Forget the latest audit of the process before. Another is due once the identity of the process is whole."""
        self.latest, self.at, self.processors, self.failure = None, None, None, ""
        self.audit_due = False

    def record(self, found: TickAudit, now: float, processors: float | None) -> None:
        """Take in an audit; `processors` is the number of processors that the target kept busy, None if unknown."""
        self.processors, self.failure = processors, ""
        self.outcomes[Outcome.SUCCESS] += 1
        self.latest, self.at = found, now
        if found.buckets is not None:
            self.counts = [one + more for one, more in zip(self.counts, found.buckets, strict=True)]
            self.sum += sum(found.intervals)
