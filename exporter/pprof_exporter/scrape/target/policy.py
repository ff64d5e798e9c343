"""Whether a fetch whose time has come is made now: not while it can bring nothing, nor while it would do harm."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from pprof_exporter.catalog import Deferral, Reason, Skip
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.schedule import Backoff

# An index page that is missing while a web server answers: single profiles may be mounted without it.
INDEX_ONLY = frozenset({Reason.NOT_MOUNTED, Reason.HTML})


class FetchPolicy:
    """Decides for all errands of one target, and counts each that it turns away."""

    def __init__(self, context: TargetContext, collectors: Iterable[Collector], random: Random) -> None:
        self._state = context.state
        self._clock = context.clock
        self._longest = context.settings.defer_at_most
        longest = context.settings.backoff_at_most
        self._backoffs = {collector: Backoff(collector.interval, random, longest=longest) for collector in collectors}
        self._deferred_since: dict[Collector, float] = {}
        self.closed_by: Skip | Deferral | None = None
        """Why the latest errand was turned away; None if it was not, or the target does not have it."""

    def opens(self, collector: Collector, *, running: bool) -> bool:
        """Whether to run an errand now; `running` says that it still runs from the last time."""
        self.closed_by = None
        index = self._state.index
        if index is not None and not index.lists(collector.path):
            return False
        skip = self._skip(collector, running=running)
        if skip is not None:
            collector.counters.skipped[skip] += 1
            self.closed_by = skip
            return False
        deferral = self._deferral(collector)
        if deferral is not None:
            collector.counters.deferred[deferral] += 1
            collector.counters.deferring = True
            self.closed_by = deferral
        return deferral is None

    def failed(self, collector: Collector) -> None:
        """An errand failed: the next try comes later, and later still if that fails too."""
        collector.counters.deferring = False
        self._backoffs[collector].failed(self._clock.steady())

    def succeeded(self, collector: Collector) -> None:
        """An errand succeeded."""
        collector.counters.deferring = False
        self._backoffs[collector].reset()

    def on_recovery(self) -> None:
        """The target is up again: what failed while it went down or came up says nothing about the target of now."""
        for collector, backoff in self._backoffs.items():
            backoff.reset()
            collector.on_recovery()

    def _skip(self, collector: Collector, *, running: bool) -> Skip | None:
        if not self._state.up and self._state.index_problem not in INDEX_ONLY:
            return Skip.TARGET_DOWN
        if self._backoffs[collector].blocks(self._clock.steady()):
            return Skip.BACKOFF
        if running:
            return Skip.LATE
        return Skip.GUARD if collector.would_harm() else None

    def _deferral(self, collector: Collector) -> Deferral | None:
        """Why to put it off, unless nothing speaks against it or it was put off for too long already."""
        reason = self._objection(collector) if collector.heavy and self._longest else None
        now = self._clock.steady()
        if reason is not None and now - self._deferred_since.setdefault(collector, now) < self._longest:
            return reason
        if self._deferred_since.pop(collector, None) is not None and reason is not None:
            collector.counters.overdue += 1
        return None

    def _objection(self, collector: Collector) -> Deferral | None:
        if not self._state.budget.left():
            return Deferral.BUDGET
        if self._state.canary.is_slow():
            return Deferral.SLOW
        # How busy the target is shows when a CPU profile is made, which is therefore made all the same.
        if not collector.concurrent and self._state.cpu_load.is_high():
            return Deferral.CPU
        return None
