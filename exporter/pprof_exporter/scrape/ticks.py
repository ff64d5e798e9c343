"""What audits of the sampling clock have found of one target."""

from __future__ import annotations

from collections import Counter

from pprof_exporter.catalog import Outcome, sampling
from pprof_exporter.health import TickAudit


class TickState:
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
