"""One signal of one epoch in memory: what the file has of it, and what it gets."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.store.epoch import Summary
from pprof_exporter.store.sketch import Sketch


@dataclass(slots=True)
class SignalRecord:
    """One signal of one epoch. Its total is the sum of the three sketches."""

    stored: Sketch | None = None
    """The content of the file when it was last read or written."""
    writing: Sketch | None = None
    """Being written to the file; must not be changed."""
    fresh: Sketch | None = None
    """Values since then."""
    summary: Summary | None = None
    """Of the total when it was last asked for: a service has one for all its targets."""

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(sketch.count for sketch in (self.stored, self.writing, self.fresh) if sketch is not None)

    @property
    def size(self) -> int:
        """About the encoded size of the three sketches, in bytes."""
        return sum(sketch.size for sketch in (self.stored, self.writing, self.fresh) if sketch is not None)

    def total(self) -> Sketch:
        """All values."""
        return merged(self.stored, self.writing, self.fresh)

    def summarized(self) -> Summary:
        """The summary of the total, which must not be empty."""
        if self.summary is None or self.summary.count != self.count:
            self.summary = Summary.of(self.total())
        return self.summary


def merged(*sketches: Sketch | None) -> Sketch:
    """A new sketch of all values of these."""
    total = Sketch()
    for sketch in sketches:
        if sketch is not None:
            total = total.merge(sketch)
    return total
