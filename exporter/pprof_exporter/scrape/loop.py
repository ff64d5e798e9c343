"""The life of one target: when to look at what."""

from __future__ import annotations

import asyncio
from random import Random

from pprof_exporter.catalog import Skip
from pprof_exporter.scrape.errands import Errand, Tools
from pprof_exporter.scrape.names import INDEX
from pprof_exporter.scrape.schedule import Ticks
from pprof_exporter.scrape.state import TargetState
from pprof_exporter.scrape.tally import Tally
from pprof_exporter.scrape.visits import Visits


class TargetLoop:
    """Looks at one target until it is stopped. Nothing that the target does ends it."""

    def __init__(self, tools: Tools, random: Random) -> None:
        self._tools = tools
        self._clock = tools.clock
        self._visits = Visits(tools, random)
        now = tools.clock.steady()
        name = tools.target.name
        self._index_ticks = Ticks(f"{name}/{INDEX}", self._visits.index.interval, now=now)
        self._ticks = {
            errand: Ticks(f"{name}/{errand.name}", errand.interval, now=now) for errand in self._visits.errands
        }
        self._beside: dict[Errand, asyncio.Task[object]] = {}
        self._stopping = asyncio.Event()

    @property
    def tools(self) -> Tools:
        """What the target is asked with."""
        return self._tools

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._tools.state

    def stop(self) -> None:
        """Let `run` end after the fetch that is under way."""
        self._stopping.set()

    async def run(self, delay: float = 0) -> None:
        """Look at the target after `delay` seconds, and then on every tick, until stopped or cancelled."""
        await self._wait(delay)
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                await self._round(group)
                due = min(self._index_ticks.due, *(ticks.due for ticks in self._ticks.values()))
                await self._wait(due - self._clock.steady())

    async def _wait(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """Everything that is due now, the index page first: it is cheap, and tells what else there is to fetch."""
        if self._index_ticks.due <= self._clock.steady():
            await self._visits.look_at_index()
            self._advance(self._index_ticks, self.state.index_tally)
        for errand, ticks in self._ticks.items():
            if self._stopping.is_set() or ticks.due > self._clock.steady():
                continue
            if self._visits.opens(errand, running=self._running(errand)):
                if errand.beside:
                    # So that the cheap looks go on meanwhile.
                    self._beside[errand] = group.create_task(self._visits.do(errand))
                else:
                    await self._visits.do(errand)
            self._advance(ticks, errand.tally)

    def _advance(self, ticks: Ticks, tally: Tally) -> None:
        self.state.revision += 1
        missed = ticks.advance(self._clock.steady())
        if missed:
            tally.skipped[Skip.LATE] += missed

    def _running(self, errand: Errand) -> bool:
        task = self._beside.get(errand)
        return task is not None and not task.done()
