"""Looks at one target when it is told to, everything once: what the loops of the exporter do in their own time."""

from __future__ import annotations

import asyncio
import contextlib

from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape import INDEX, Clock, Fetcher, TargetState
from pprof_exporter.scrape.errands import Errand, ReadIndex, Tools
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.gate import INDEX_ONLY
from pprof_exporter.scrape.limiter import Limiter
from pprof_exporter.scrape.looks import time_canary
from pprof_exporter.scrape.loop import errands
from pprof_exporter.scrape.names import CANARY
from pprof_exporter.store import Store
from pprof_exporter.workbench.lasting import lasting
from pprof_exporter.workbench.noting import NotingFetcher

# As many cheap requests at rest, and again during the CPU profile, as the verdicts want of each (threshold `canaries`).
_CANARIES = 6
# Spread over this share of the window: a profile begins and ends with some work.
_WITHIN = 0.9
_LOOK_FOR_WINDOW = 0.02


class Looker:
    """One target, and what is known of it. Budget, back-off and deferral are for loops: here somebody asked."""

    def __init__(
        self, target: Target, settings: Settings, *, fetcher: Fetcher, clock: Clock, limiter: Limiter, store: Store
    ) -> None:
        settings = lasting(settings.overridden(target.overrides))
        self.state = TargetState(target, settings, store, clock)
        self._tools = Tools(target, settings, fetcher, limiter, clock, self.state)
        self._fetcher = fetcher
        self._index = ReadIndex(self._tools)
        self._errands = errands(self._tools)
        if isinstance(fetcher, NotingFetcher):
            fetcher.during = lambda: self.state.canary.during

    async def look(self) -> None:
        """One round: the index page, every profile that it lists, cheap requests, and the CPU profile at the end."""
        if not await self._look_at_index():
            return
        beside = [errand for errand in self._errands if errand.beside]
        for errand in self._errands:
            if errand not in beside and self._wanted(errand):
                await self._do(errand)
        if not self.state.up:
            # There is no index page, nor a profile without one.
            return
        for _ in range(_CANARIES - 1):
            await self._time_canary()
        for errand in beside:
            if self._wanted(errand):
                await self._with_canaries(errand)

    def _wanted(self, errand: Errand) -> bool:
        index = self.state.index
        return (index is None or index.lists(errand.path)) and not errand.would_harm()

    async def _look_at_index(self) -> bool:
        """Whether there may be profiles."""
        state = self.state
        try:
            await self._index.run()
        except (FetchError, DecodeError) as error:
            state.index, state.index_problem, state.up = None, error.reason, False
            self._note(INDEX, error)
            state.index_tally.failed(error.reason, error.detail, decoding=isinstance(error, DecodeError))
            return error.reason in INDEX_ONLY
        state.wedge.asked(INDEX, None)
        state.up = True
        return True

    async def _do(self, errand: Errand) -> None:
        try:
            await errand.run()
        except (FetchError, DecodeError) as error:
            self._note(errand.name, error)
            errand.tally.failed(error.reason, error.detail, decoding=isinstance(error, DecodeError))
        else:
            self.state.wedge.asked(errand.name, None)
            # Whoever answers everything with a page answers the canary too, which nobody decodes.
            self.state.up = self.state.up or errand.name != CANARY

    def _note(self, name: str, error: FetchError | DecodeError) -> None:
        self.state.wedge.asked(name, error.reason)
        if isinstance(error, DecodeError) and isinstance(self._fetcher, NotingFetcher):
            self._fetcher.refuse(name, error)

    async def _time_canary(self) -> None:
        async with self._tools.place():
            await time_canary(self._tools)

    async def _with_canaries(self, errand: Errand) -> None:
        """A CPU profile times one canary by itself; the others come at even distances while it runs."""
        canaries = asyncio.create_task(self._time_canaries())
        try:
            await self._do(errand)
        finally:
            canaries.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await canaries

    async def _time_canaries(self) -> None:
        clock, state = self._tools.clock, self.state
        while not state.canary.windows:
            await clock.sleep(_LOOK_FOR_WINDOW)
        for _ in range(_CANARIES - 1):
            await clock.sleep(_WITHIN * self._tools.settings.profiles["cpu"].window / _CANARIES)
            await time_canary(self._tools)
