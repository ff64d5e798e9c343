"""Decides whether a due fetch runs, is skipped (useless or harmful) or is deferred."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from pprof_exporter.catalog import NO_INDEX_PAGE, Deferral, Skip
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.schedule import Backoff

# The share of the budget for one handler that samples, and of the longest deferral that it waits at most, so that it
# never counts as overdue.
_SHARE = 0.2
_SOONER = 0.9


class FetchPolicy:
    """Decides for all collectors of one target, and counts each fetch that it skips or defers."""

    def __init__(self, context: TargetContext, collectors: Iterable[Collector], random: Random) -> None:
        self._state = context.state
        self._clock = context.clock
        self._defer_at_most = context.settings.defer_at_most
        longest = context.settings.backoff_at_most
        self._backoffs = {collector: Backoff(collector.interval, random, longest=longest) for collector in collectors}
        self._deferred_since: dict[Collector, float] = {}
        self.refusal: Skip | Deferral | None = None
        """Why the latest fetch was skipped or deferred; None if it was not, is not needed, or the target lacks it."""

    def allows(self, collector: Collector, *, running: bool) -> bool:
        """Whether to run a collector now. `running`: its previous run has not ended."""
        self.refusal = None
        index = self._state.index
        if index is not None and not index.lists(collector.path):
            return False
        # Before the skips, which count as fetches that were due.
        if not collector.is_needed():
            return False
        skip = self._skip(collector, running=running)
        if skip is not None:
            collector.counters.skipped[skip] += 1
            self.refusal = skip
            return False
        deferral = self._deferral(collector)
        if deferral is not None:
            collector.counters.deferred[deferral] += 1
            collector.counters.deferring = True
            self.refusal = deferral
        return deferral is None

    def failed(self, collector: Collector) -> None:
        """Record a failed run. The next one is delayed, and delayed further with each failure in a row.

        A longer try is not delayed: until it has been made, nobody knows whether the handler hangs or sleeps.
        """
        collector.counters.deferring = False
        if not collector.unclear:
            self._backoffs[collector].failed(self._clock.steady())

    def succeeded(self, collector: Collector) -> None:
        """Record a successful run."""
        collector.counters.deferring = False
        self._backoffs[collector].reset()

    def on_recovery(self) -> None:
        """Reset after the target came up again: earlier failures no longer count."""
        for backoff in self._backoffs.values():
            backoff.reset()

    def _skip(self, collector: Collector, *, running: bool) -> Skip | None:
        if not self._state.up and self._state.index_problem not in NO_INDEX_PAGE:
            return Skip.TARGET_DOWN
        if self._backoffs[collector].blocks(self._clock.steady()):
            return Skip.BACKOFF
        if running:
            return Skip.LATE
        return Skip.GUARD if collector.would_harm() else None

    def _deferral(self, collector: Collector) -> Deferral | None:
        """Why to defer the collector; None without a reason, or after the longest deferral."""
        costs = collector.heavy or collector.waits
        reason = self._deferral_reason(collector) if costs and self._defer_at_most else None
        now = self._clock.steady()
        if reason is not None and now - self._deferred_since.setdefault(collector, now) < self._defer_at_most:
            return reason
        if self._deferred_since.pop(collector, None) is not None and reason is not None:
            collector.counters.overdue += 1
        return None

    def _sampled_lately(self, collector: Collector) -> bool:
        """Whether a handler that sleeps has just done so: it may take a fifth of the budget, so that others come."""
        delay = self._state.delays.by_profile.get(collector.name)
        if delay is None or not delay.window:
            return False
        apart = min(delay.window / (_SHARE * self._state.settings.budget), _SOONER * self._defer_at_most)
        return self._clock.steady() - delay.started_at < apart

    def _deferral_reason(self, collector: Collector) -> Deferral | None:
        if not self._state.budget.has_credit() or self._sampled_lately(collector):
            return Deferral.BUDGET
        if self._state.canary.is_slow():
            return Deferral.SLOW
        # A CPU profile shows what keeps the target busy, so it is not deferred.
        if not collector.concurrent and self._state.cpu_load.is_high():
            return Deferral.CPU
        return None
