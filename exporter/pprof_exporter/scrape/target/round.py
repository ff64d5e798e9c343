"""One-shot rounds: every collector of a target once, on demand. `check` and `capture` use them instead of loops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from random import Random

from pprof_exporter.catalog import NO_INDEX_PAGE
from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.clock import Clock
from pprof_exporter.config import ProfileSettings, Settings, Target
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.auxiliary_collectors import time_canary
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.scraper import TargetScraper
from pprof_exporter.store import Store

PROGRAM = "pprof-exporter"
_FOREVER = 1e12
# Canaries at rest, and again during the CPU profile: as many as the verdicts need of each (threshold `canaries`).
_CANARIES = 6
# Canaries are spread over this share of the window: a profile begins and ends with some work.
_WITHIN = 0.9
_POLL_WINDOW = 0.02
# One longer try, and another that confirms a constant delay.
_LONGER_TRIES = 2

OnRound = Callable[[Target, int], None]
"""Called after each round with its number, from 0."""


def without_expiry(settings: Settings, *, audit: float | None = None) -> Settings:
    """The same settings with endless intervals, so that no value becomes stale.

    `audit` is the seconds between two audits; None leaves the setting unchanged.
    """
    profiles: dict[str, ProfileSettings] = {
        name: replace(profile, interval=_FOREVER) for name, profile in settings.profiles.items()
    }
    return replace(
        settings, profiles=profiles, index_interval=_FOREVER, audit=settings.audit if audit is None else audit
    )


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """How many rounds, and how many seconds from the start of one to the start of the next."""

    rounds: int
    every: float

    async def paced(self, clock: Clock, first: int = 0) -> AsyncIterator[int]:
        """Yield the number of each round from `first` on, when due. After a late round the next starts at once."""
        for number in range(first, self.rounds):
            began = clock.steady()
            yield number
            if number + 1 < self.rounds:
                await clock.sleep(began + self.every - clock.steady())


class _Silent:
    """A log for callers that get every problem as a result."""

    def debug(self, event: str, **fields: object) -> None:
        """Log nothing."""

    info = warning = debug


class Round:
    """Rounds of one target with one state. Budget, back-off and deferral do not apply."""

    def __init__(
        self, target: Target, settings: Settings, *, getter: Getter, clock: Clock, limiter: FetchLimiter, store: Store
    ) -> None:
        """`getter` applies the client settings of the target."""
        settings = without_expiry(settings.overridden(target.overrides))
        self.state = TargetState(target, settings, store, clock)
        self.own_problem = ""
        """What the exporter lacked in the latest round, so that the target was not judged; "" if nothing."""
        self.on_undecodable: Callable[[str, DecodeError], None] | None = None
        """Called for each complete reply that could not be decoded, with the name of the collector."""
        self._context = TargetContext(target, settings, getter, limiter, clock, self.state)
        # Only the spread of back-off is random, and rounds do not back off.
        self._scraper = TargetScraper(self._context, Random(0))  # noqa: S311
        self._scraper.log = _Silent()

    @property
    def problem(self) -> str:
        """Why the target could not be judged in the latest round, and what to do; "" if it was."""
        return self.own_problem or self.state.why_down

    async def run(self) -> None:
        """Run one round: the index page, every profile that it lists, canaries, and the CPU profile at the end."""
        self.own_problem = ""
        measuring = asyncio.create_task(self.state.exporter_load.measure())
        try:
            await self._run()
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)
        self._context.intake.settle(complete=True)

    async def _run(self) -> None:
        problem = await self._scraper.scrape_index()
        self._report(INDEX, problem)
        if problem is not None and problem.reason not in NO_INDEX_PAGE:
            return
        collectors = self._scraper.collectors
        concurrent = [collector for collector in collectors if collector.concurrent]
        for collector in collectors:
            if collector not in concurrent and self._wanted(collector):
                await self._collect(collector)
        if not self.state.up:
            # There is neither an index page nor a profile.
            return
        for _ in range(_CANARIES - 1):
            await self._time_canary()
        for collector in concurrent:
            if self._wanted(collector):
                await self._with_canaries(collector)

    def _wanted(self, collector: Collector) -> bool:
        index = self.state.index
        return (index is None or index.lists(collector.path)) and not collector.would_harm()

    async def _collect(self, collector: Collector) -> None:
        """Run a collector; again while it is not clear whether its handler hangs or sleeps."""
        problem = await self._scraper.run(collector)
        for _ in range(_LONGER_TRIES):
            if collector.unclear and self.state.up:
                problem = await self._scraper.run(collector)
        self._report(collector.name, problem)

    def _report(self, name: str, problem: FetchError | DecodeError | None) -> None:
        if isinstance(problem, ExporterExhausted):
            self.own_problem = f"{PROGRAM} could not fetch {name}: {problem.detail}. {problem.resource.advice}"
        if isinstance(problem, DecodeError) and self.on_undecodable is not None:
            self.on_undecodable(name, problem)

    async def _time_canary(self) -> None:
        async with self._context.slot():
            await time_canary(self._context)

    async def _with_canaries(self, collector: Collector) -> None:
        """Run a CPU profile, which times one canary itself, and time the other canaries evenly while it runs."""
        canaries = asyncio.create_task(self._time_canaries())
        try:
            await self._collect(collector)
        finally:
            canaries.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await canaries

    async def _time_canaries(self) -> None:
        clock, state = self._context.clock, self.state
        while not state.canary.cpu_profiles_running:
            await clock.sleep(_POLL_WINDOW)
        for _ in range(_CANARIES - 1):
            await clock.sleep(_WITHIN * self._context.settings.profiles["cpu"].window / _CANARIES)
            await time_canary(self._context)
