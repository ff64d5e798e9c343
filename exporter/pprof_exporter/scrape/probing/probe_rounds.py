"""One round of a target within a deadline: the index page, then every collector that is due."""

from __future__ import annotations

import asyncio
import math
from random import Random

from pprof_exporter.catalog import Skip
from pprof_exporter.scrape.client.errors import ExporterExhausted
from pprof_exporter.scrape.probing.probe_client import OutOfTime, ProbeClient
from pprof_exporter.scrape.probing.probe_log import ProbeLog, RedactedLog
from pprof_exporter.scrape.probing.sockets import AddressGuard, guard_connections
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.scraper import TargetScraper

# Seconds for the end of the reply (up to Go 1.25 it comes 0.2 s after the window), the CPU time and decoding.
_AFTER_WINDOW = 1.0
# No fetch starts with fewer seconds left: a target that needs this long is slow, not broken.
_MIN_LEFT = 1.0
# Share of the interval by which a fetch may be early: scrapes are not exact, and a profile with an interval of a minute
# must run in every second scrape.
_EARLY = 0.1
_COMPARE_EVERY = 30.0
# A profile that timed out is not tried again without time for a longer try: whether its handler hangs or sleeps stays
# unknown. This one is, since a wedged target shows by it.
_TELLS_HANG = "goroutine"


class ProbeRounds:
    """The rounds of one target, and their common state. One round runs at a time."""

    def __init__(self, context: TargetContext, client: ProbeClient, random: Random) -> None:
        self._context = context
        self._client = client
        self._clock = context.clock
        self._scraper = TargetScraper(context, random)
        # Collectors with a window come last, with the remaining time.
        self._collectors = sorted(self._scraper.collectors, key=lambda collector: collector.concurrent)
        self._windows = {collector: collector.window for collector in self._collectors}
        self._run_at: dict[Collector, float] = {}
        self._compared_at = -math.inf
        self._min_left = _MIN_LEFT
        self.answered = False
        """Whether the current or last round knows if the target is up."""
        self.own_problem = ""
        """What the exporter lacked in that round, so that it does not know; "" if nothing."""

    @property
    def state(self) -> TargetState:
        """The state of the target."""
        return self._context.state

    async def run(self, log: ProbeLog, guard: AddressGuard, deadline: float) -> None:
        """Run one round; `deadline` is steady time. Failures are in the log and in the state."""
        self.answered, self.own_problem = False, ""
        self._min_left = min(_MIN_LEFT, (deadline - self._clock.steady()) / 2)
        self._client.log, self._client.guard, self._client.deadline = log, guard, deadline
        self._scraper.log = RedactedLog(log)
        with guard_connections(guard):
            problem = await self._scraper.scrape_index()
            if isinstance(problem, ExporterExhausted):
                self.own_problem = problem.detail
                return
            self.answered = True
            for collector in self._collectors:
                await self._collect(collector, log, deadline)
        self._context.intake.settle(complete=True)
        if self.state.identity.epoch is not None and self._clock.steady() - self._compared_at >= _COMPARE_EVERY:
            self._compared_at = self._clock.steady()
            await asyncio.to_thread(self.state.identity.compare)

    async def _collect(self, collector: Collector, log: ProbeLog, deadline: float) -> None:
        now = self._clock.steady()
        wait = self._run_at.get(collector, -math.inf) + (1 - _EARLY) * collector.interval - now
        if wait > 0:
            log.debug("not due", profile=collector.name, due_in=f"{wait:.0f}s", interval=f"{collector.interval:g}s")
            return
        if not self._scraper.allows(collector):
            other = "the target does not have it" if collector.is_needed() else "the metrics page tells the same"
            log.info("skipped", profile=collector.name, why=self._scraper.refusal or other)
            return
        if not self._fits(collector, log, deadline - now):
            return
        self._run_at[collector] = now
        try:
            await self._scraper.run(collector)
        except (OutOfTime, asyncio.CancelledError) as error:
            del self._run_at[collector]
            collector.counters.skipped[Skip.DEADLINE] += 1
            log.info("skipped", profile=collector.name, why="not started before the deadline of the probe")
            if not isinstance(error, OutOfTime):
                raise

    def _fits(self, collector: Collector, log: ProbeLog, left: float) -> bool:
        """Whether there is time for a collector; shortens its window if needed."""
        wanted = self._windows[collector]
        if not wanted:
            enough = left >= self._min_left + collector.handler_window
            if enough and collector.waits and not collector.handler_window and collector.name != _TELLS_HANG:
                enough = left >= self._context.settings.timeout + _MIN_LEFT
        elif self._context.limiter.is_profiling(self._context.target):
            collector.counters.skipped[Skip.LATE] += 1
            log.info("skipped", profile=collector.name, why="another CPU profile of this process is running")
            return False
        else:
            # Go reads whole seconds.
            collector.window = min(wanted, math.floor(left - _AFTER_WINDOW))
            enough = left - _AFTER_WINDOW >= 1
            if enough and collector.window < wanted:
                log.info(
                    "window shortened to fit the deadline",
                    profile=collector.name,
                    wanted=wanted,
                    window=collector.window,
                )
        if not enough:
            collector.counters.skipped[Skip.DEADLINE] += 1
            log.info("skipped", profile=collector.name, why=f"only {max(0.0, left):.1f} s left before the deadline")
        return enough
