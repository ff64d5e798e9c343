"""The life of one target: when to look at what."""

from __future__ import annotations

import asyncio
from random import Random

from pprof_exporter.catalog import Skip
from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.schedule import Schedule
from pprof_exporter.scrape.target.scraper import TargetScraper


class TargetLoop:
    """Looks at one target until it is stopped. Nothing that the target does ends it."""

    def __init__(self, context: TargetContext, random: Random) -> None:
        self._context = context
        self._clock = context.clock
        self._scraper = TargetScraper(context, random)
        now = context.clock.steady()
        name = context.target.name
        self._index_ticks = Schedule(f"{name}/{INDEX}", self._scraper.index.interval, now=now)
        self._ticks = {
            collector: Schedule(f"{name}/{collector.name}", collector.interval, now=now)
            for collector in self._scraper.collectors
        }
        self._concurrent: dict[Collector, asyncio.Task[object]] = {}
        self._stopping = asyncio.Event()

    @property
    def context(self) -> TargetContext:
        """What the target is asked with."""
        return self._context

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._context.state

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
            await self._scraper.scrape_index()
            self._advance(self._index_ticks, self.state.index_counters)
        for collector, ticks in self._ticks.items():
            if self._stopping.is_set() or ticks.due > self._clock.steady():
                continue
            if self._scraper.opens(collector, running=self._running(collector)):
                if collector.concurrent:
                    # So that the cheap looks go on meanwhile.
                    self._concurrent[collector] = group.create_task(self._scraper.do(collector))
                else:
                    await self._scraper.do(collector)
            self._advance(ticks, collector.counters)

    def _advance(self, ticks: Schedule, counters: FetchCounters) -> None:
        self.state.revision += 1
        missed = ticks.advance(self._clock.steady())
        if missed:
            counters.skipped[Skip.LATE] += missed

    def _running(self, collector: Collector) -> bool:
        task = self._concurrent.get(collector)
        return task is not None and not task.done()
