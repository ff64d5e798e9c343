"""State from the auxiliary collectors: memory statistics, printed stacks, audits of the sampling clock."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import replace

from pprof_exporter.catalog import Outcome, runtime, sampling
from pprof_exporter.config import ProfileSettings
from pprof_exporter.health import TickAudit, new_pauses, pauses_within, unseen_collections
from pprof_exporter.profile import GoroutineDump, MemStats, goroutines_by_creator, longest_waits
from pprof_exporter.profile.memstats import PAUSE_RING, HeapFigures
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.top_k import TopK, largest

# CPU profiles whose windows are held until the pauses within them are known: half an hour of one every ten seconds.
_MAX_WINDOWS = 192
# Seconds by which a metrics page and a heap profile that overlap can be apart: longer than the default timeout.
_SAME_TIME = 15.0
_HOUR = 3600.0
# A target writes them itself. Go has forty (runtime/runtime2.go, waitReasonStrings).
_MOST_STATES = 60


class MemStatsState:
    """The latest MemStats of a target, the GC pauses since the first, and what its metrics page says of the same."""

    def __init__(self) -> None:
        self.counters = FetchCounters()
        self.latest: MemStats | None = None
        self.at = 0.0
        self.figures: HeapFigures | None = None
        """The newest, by either source."""
        self.figures_at = 0.0
        self.page_at: float | None = None
        """When the metrics page last had the figures (Unix time). None: it has not, or is that of another process."""
        self.pause_counts = [0] * (len(runtime.GC_PAUSE.buckets) + 1)
        self.pause_sum = 0.0
        self.unseen_collections = 0
        self.pauses_within_windows = 0
        self._windows: deque[tuple[float, float]] = deque(maxlen=_MAX_WINDOWS)
        self._page_contradicted = False

    def begin_process(self) -> None:
        """Forget the statistics of the process before."""
        self.latest, self.at = None, 0.0
        self.figures, self.figures_at, self.page_at = None, 0.0, None
        self._page_contradicted = False
        self._windows.clear()

    def add_window(self, start: float, end: float) -> None:
        """Add the window of a CPU profile that ran from `start` to `end` (Unix time of the target)."""
        self._windows.append((start, end))
        self._drop_windows()

    def record(self, found: MemStats, at: float) -> None:
        """Take in a reply. Pauses in the ring of the first reply happened earlier, and are not counted."""
        if self.latest is not None:
            pauses = new_pauses(self.latest, found)
            self.unseen_collections += unseen_collections(self.latest, found)
            for pause in pauses:
                self.pause_counts[bisect_left(runtime.GC_PAUSE.buckets, pause.seconds)] += 1
                self.pause_sum += pause.seconds
            self.pauses_within_windows += sum(len(pauses_within(pauses, start, end)) for start, end in self._windows)
        if self.page_at is not None and self.figures is not None and found.num_gc < self.figures.num_gc:
            self._contradict(at)
        self.latest, self.at = found, at
        self._take(found.figures, at)
        self._drop_windows()

    def record_page(self, figures: HeapFigures | None, at: float) -> bool:
        """Take in what a metrics page says; None: it has no such figures. Returns whether it was taken."""
        before = self.figures
        if figures is None or self._page_contradicted or (before is not None and figures.num_gc < before.num_gc):
            return False
        self.page_at = at
        self._take(figures, at)
        return True

    def needs_fetch(self, now: float, own: ProfileSettings) -> bool:
        """Whether heap?debug=1 tells what the metrics page does not, now or before the next interval is over.

        That is so without such a page; after the longer interval; before more collections have passed than the runtime
        holds the pauses of; and for an hour after a failure, since verdicts count in the fetches of an hour.
        """
        if own.beside_page is None or self.latest is None or self.figures is None or self.page_at is None:
            return True
        if now - self.page_at > own.interval or now - self.at > own.beside_page - own.interval / 2:
            return True
        if any(self.counters.ended.latest(math.ceil(_HOUR / own.interval))):
            return True
        elapsed = self.figures_at - self.at
        if elapsed <= 0:
            return True
        passed = self.figures.num_gc - self.latest.num_gc
        return passed + passed / elapsed * (now + own.interval - self.figures_at) >= PAUSE_RING

    def _drop_windows(self) -> None:
        """Drop windows that ended before the latest collection, by the target's clock: no later pause is in them."""
        latest = self.latest.last_gc if self.latest is not None else None
        while self._windows and latest is not None and self._windows[0][1] <= latest:
            self._windows.popleft()

    def _contradict(self, at: float) -> None:
        """Leave a page alone that had more collections than the process had later: it is that of another process."""
        if self.page_at is not None and at - self.page_at > _SAME_TIME:
            self._page_contradicted, self.page_at, self.figures = True, None, None

    def _take(self, figures: HeapFigures, at: float) -> None:
        """Replies that overlap come in any order, and a count that seems to fall would count as a restart."""
        if self.figures is None or figures.num_gc > self.figures.num_gc or at >= self.figures_at:
            least = self.figures.num_gc if self.figures is not None else 0
            self.figures, self.figures_at = replace(figures, num_gc=max(least, figures.num_gc)), at


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
        self.longest_waits = largest(longest_waits(dump), _MOST_STATES)


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
