"""One round of a target: the index page, and then everything that is due, within a deadline."""

from __future__ import annotations

import asyncio
import math
from random import Random

from pprof_exporter.catalog import Skip
from pprof_exporter.scrape.errands import Errand, Tools
from pprof_exporter.scrape.probing.client import OutOfTime, ProbeClient
from pprof_exporter.scrape.probing.log import Discreet, ProbeLog
from pprof_exporter.scrape.probing.sockets import Guard, guarding
from pprof_exporter.scrape.state import TargetState
from pprof_exporter.scrape.visits import Visits

# For the end of the reply, which up to Go 1.25 comes 0.2 s after the window, for the CPU time and for decoding.
_AFTER_WINDOW = 1.0
# With less than this nothing is asked for: a target that needs as long is slow, and not broken.
_LEAST = 1.0
# Scrapes are not on time to the millisecond; a profile that comes every minute is to come with every second scrape.
_EARLY = 0.1
_COMPARE_EVERY = 30.0


class Rounds:
    """The rounds of one target, and what has to outlive each. One runs at a time."""

    def __init__(self, tools: Tools, client: ProbeClient, random: Random) -> None:
        self._tools = tools
        self._client = client
        self._clock = tools.clock
        self._visits = Visits(tools, random)
        # What takes long on purpose comes last, with the time that is left.
        self._errands = sorted(self._visits.errands, key=lambda errand: errand.beside)
        self._windows = {errand: errand.window for errand in self._errands}
        self._asked_at: dict[Errand, float] = {}
        self._compared_at = -math.inf
        self._least = _LEAST
        self.answered = False
        """Whether the round that runs, or ran last, knows if the target is up."""

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._tools.state

    async def run(self, log: ProbeLog, guard: Guard, deadline: float) -> None:
        """Look at the target; `deadline` is steady time. What goes wrong is in the log and in the state."""
        self.answered = False
        self._least = min(_LEAST, (deadline - self._clock.steady()) / 2)
        self._client.log, self._client.guard, self._client.deadline = log, guard, deadline
        self._visits.log = Discreet(log)
        with guarding(guard):
            await self._visits.look_at_index()
            self.answered = True
            for errand in self._errands:
                await self._visit(errand, log, deadline)
        if self.state.identity.epoch is not None and self._clock.steady() - self._compared_at >= _COMPARE_EVERY:
            self._compared_at = self._clock.steady()
            await asyncio.to_thread(self.state.identity.compare)

    async def _visit(self, errand: Errand, log: ProbeLog, deadline: float) -> None:
        now = self._clock.steady()
        wait = self._asked_at.get(errand, -math.inf) + (1 - _EARLY) * errand.interval - now
        if wait > 0:
            log.debug("not due", profile=errand.name, due_in=f"{wait:.0f}s", interval=f"{errand.interval:g}s")
            return
        if not self._visits.opens(errand):
            log.info("left out", profile=errand.name, why=self._visits.closed_by or "the target does not have it")
            return
        if not self._fits(errand, log, deadline - now):
            return
        self._asked_at[errand] = now
        try:
            await self._visits.do(errand)
        except (OutOfTime, asyncio.CancelledError) as error:
            del self._asked_at[errand]
            errand.tally.skipped[Skip.DEADLINE] += 1
            log.info("left out", profile=errand.name, why="it was not its turn before the time of this probe was over")
            if not isinstance(error, OutOfTime):
                raise

    def _fits(self, errand: Errand, log: ProbeLog, left: float) -> bool:
        """Whether there is time for an errand; makes the window shorter if that is what it takes."""
        wanted = self._windows[errand]
        if not wanted:
            enough = left >= self._least
        elif self._tools.limiter.profiles(self._tools.target):
            errand.tally.skipped[Skip.LATE] += 1
            log.info("left out", profile=errand.name, why="another CPU profile of this process runs")
            return False
        else:
            # Go reads whole seconds.
            errand.window = min(wanted, math.floor(left - _AFTER_WINDOW))
            enough = left - _AFTER_WINDOW >= 1
            if enough and errand.window < wanted:
                log.info("window made shorter to fit", profile=errand.name, wanted=wanted, window=errand.window)
        if not enough:
            errand.tally.skipped[Skip.DEADLINE] += 1
            log.info("left out", profile=errand.name, why=f"only {max(0.0, left):.1f} s are left before the deadline")
        return enough
