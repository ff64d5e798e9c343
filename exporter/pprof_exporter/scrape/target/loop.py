"""The scrape loop of one target: runs each collector when it is due."""

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
    """Scrapes one target until it is stopped. Failures of the target do not end it."""

    def __init__(self, context: TargetContext, random: Random) -> None:
        self._context = context
        self._clock = context.clock
        self._scraper = TargetScraper(context, random)
        now = context.clock.steady()
        name = context.target.name
        self._index_schedule = Schedule(f"{name}/{INDEX}", self._scraper.index.interval, now=now)
        self._schedules = {
            collector: Schedule(f"{name}/{collector.name}", collector.interval, now=now)
            for collector in self._scraper.collectors
        }
        self._concurrent: dict[Collector, asyncio.Task[object]] = {}
        self._stopping = False
        self._sleeping: asyncio.Future[None] | None = None

    @property
    def context(self) -> TargetContext:
        """The context of all collectors of the target."""
        return self._context

    @property
    def state(self) -> TargetState:
        """The state of the target."""
        return self._context.state

    def stop(self) -> None:
        """End `run` after the fetch in flight."""
        self._stopping = True
        if self._sleeping is not None:
            self._sleeping.cancel()

    async def run(self, delay: float = 0) -> None:
        """Start after `delay` seconds, then run every collector on its schedule, until stopped or cancelled."""
        await self._wait(delay)
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                await self._round(group)
                due = min(self._index_schedule.due, *(schedule.due for schedule in self._schedules.values()))
                await self._wait(due - self._clock.steady())

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until the loop is stopped."""
        if self._stopping:
            return
        self._sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({self._sleeping})
        finally:
            self._sleeping.cancel()
            self._sleeping = None

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """Run everything that is due, the index page first: it is cheap, and lists what else can be fetched."""
        if self._index_schedule.due <= self._clock.steady():
            await self._scraper.scrape_index()
            self._advance(self._index_schedule, self.state.index_counters)
        for collector, schedule in self._schedules.items():
            if self._stopping or schedule.due > self._clock.steady():
                continue
            if self._scraper.allows(collector, running=self._running(collector)):
                if collector.concurrent or collector.waits:
                    # Cheap collectors go on meanwhile.
                    self._concurrent[collector] = group.create_task(self._scraper.run(collector))
                else:
                    await self._scraper.run(collector)
            self._advance(schedule, collector.counters)

    def _advance(self, schedule: Schedule, counters: FetchCounters) -> None:
        self.state.revision += 1
        missed = schedule.advance(self._clock.steady())
        if missed:
            counters.skipped[Skip.LATE] += missed

    def _running(self, collector: Collector) -> bool:
        task = self._concurrent.get(collector)
        return task is not None and not task.done()
