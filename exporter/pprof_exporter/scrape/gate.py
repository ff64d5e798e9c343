"""Whether a fetch whose time has come is made now: not while it can bring nothing, nor while it would do harm."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from pprof_exporter.catalog import Deferral, Reason, Skip
from pprof_exporter.scrape.errands import Errand, Tools
from pprof_exporter.scrape.schedule import Backoff

# An index page that is missing while a web server answers: single profiles may be mounted without it.
INDEX_ONLY = frozenset({Reason.NOT_MOUNTED, Reason.HTML})


class Gate:
    """Decides for all errands of one target, and counts each that it turns away."""

    def __init__(self, tools: Tools, errands: Iterable[Errand], random: Random) -> None:
        self._state = tools.state
        self._clock = tools.clock
        self._longest = tools.settings.defer_at_most
        longest = tools.settings.backoff_at_most
        self._backoffs = {errand: Backoff(errand.interval, random, longest=longest) for errand in errands}
        self._deferred_since: dict[Errand, float] = {}
        self.closed_by: Skip | Deferral | None = None
        """Why the latest errand was turned away; None if it was not, or the target does not have it."""

    def opens(self, errand: Errand, *, running: bool) -> bool:
        """Whether to run an errand now; `running` says that it still runs from the last time."""
        self.closed_by = None
        index = self._state.index
        if index is not None and not index.lists(errand.path):
            return False
        skip = self._skip(errand, running=running)
        if skip is not None:
            errand.tally.skipped[skip] += 1
            self.closed_by = skip
            return False
        deferral = self._deferral(errand)
        if deferral is not None:
            errand.tally.deferred[deferral] += 1
            errand.tally.deferring = True
            self.closed_by = deferral
        return deferral is None

    def failed(self, errand: Errand) -> None:
        """An errand failed: the next try comes later, and later still if that fails too."""
        errand.tally.deferring = False
        self._backoffs[errand].failed(self._clock.steady())

    def succeeded(self, errand: Errand) -> None:
        """An errand succeeded."""
        errand.tally.deferring = False
        self._backoffs[errand].reset()

    def came_up(self) -> None:
        """The target is up again: what failed while it went down or came up says nothing about the target of now."""
        for errand, backoff in self._backoffs.items():
            backoff.reset()
            errand.came_up()

    def _skip(self, errand: Errand, *, running: bool) -> Skip | None:
        if not self._state.up and self._state.index_problem not in INDEX_ONLY:
            return Skip.TARGET_DOWN
        if self._backoffs[errand].blocks(self._clock.steady()):
            return Skip.BACKOFF
        if running:
            return Skip.LATE
        return Skip.GUARD if errand.would_harm() else None

    def _deferral(self, errand: Errand) -> Deferral | None:
        """Why to put it off, unless nothing speaks against it or it was put off for too long already."""
        reason = self._objection(errand) if errand.heavy and self._longest else None
        now = self._clock.steady()
        if reason is not None and now - self._deferred_since.setdefault(errand, now) < self._longest:
            return reason
        if self._deferred_since.pop(errand, None) is not None and reason is not None:
            errand.tally.overdue += 1
        return None

    def _objection(self, errand: Errand) -> Deferral | None:
        if not self._state.budget.left():
            return Deferral.BUDGET
        if self._state.canary.is_slow():
            return Deferral.SLOW
        # How busy the target is shows when a CPU profile is made, which is therefore made all the same.
        if not errand.beside and self._state.cpu_load.is_high():
            return Deferral.CPU
        return None
