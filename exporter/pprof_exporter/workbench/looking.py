"""Looks at one target when it is told to, everything once: what the loops of the exporter do in their own time."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape import INDEX, Clock, TargetState
from pprof_exporter.scrape.errands import Errand, Tools
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.fetch import Getter
from pprof_exporter.scrape.gate import INDEX_ONLY
from pprof_exporter.scrape.limiter import Limiter
from pprof_exporter.scrape.looks import time_canary
from pprof_exporter.scrape.visits import Visits
from pprof_exporter.store import Store
from pprof_exporter.workbench.lasting import lasting
from pprof_exporter.workbench.noting import NotingGetter

# As many cheap requests at rest, and again during the CPU profile, as the verdicts want of each (threshold `canaries`).
_CANARIES = 6
# Spread over this share of the window: a profile begins and ends with some work.
_WITHIN = 0.9
_LOOK_FOR_WINDOW = 0.02


class _Silent:
    """Where somebody asked, the answer says what went wrong, and the log need not."""

    def debug(self, event: str, **fields: object) -> None:
        """Nothing."""

    info = warning = debug


class Looker:
    """One target, and what is known of it. Budget, back-off and deferral are for loops: here somebody asked."""

    def __init__(
        self, target: Target, settings: Settings, *, getter: Getter, clock: Clock, limiter: Limiter, store: Store
    ) -> None:
        """`getter` asks with the client settings of the target."""
        settings = lasting(settings.overridden(target.overrides))
        self.state = TargetState(target, settings, store, clock)
        self._tools = Tools(target, settings, getter, limiter, clock, self.state)
        self._getter = getter
        # Nothing here waits after failures, whose spread is what chance is for.
        self._visits = Visits(self._tools, Random(0))  # noqa: S311
        self._visits.log = _Silent()
        if isinstance(getter, NotingGetter):
            getter.during = lambda: self.state.canary.during

    async def look(self) -> None:
        """One round: the index page, every profile that it lists, cheap requests, and the CPU profile at the end."""
        if not await self._look_at_index():
            return
        errands = self._visits.errands
        beside = [errand for errand in errands if errand.beside]
        for errand in errands:
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
        problem = await self._visits.look_at_index()
        self._note(INDEX, problem)
        return problem is None or problem.reason in INDEX_ONLY

    async def _do(self, errand: Errand) -> None:
        self._note(errand.name, await self._visits.do(errand))

    def _note(self, name: str, problem: FetchError | DecodeError | None) -> None:
        if isinstance(problem, DecodeError) and isinstance(self._getter, NotingGetter):
            self._getter.refuse(name, problem)

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
