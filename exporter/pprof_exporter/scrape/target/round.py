"""Settings under which what was read once still stands at the end: nobody comes again in half a minute."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from random import Random

from pprof_exporter.capture.recording_client import RecordingClient
from pprof_exporter.config import ProfileSettings, Settings, Target
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape import INDEX, Clock, TargetState
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.target.auxiliary_collectors import time_canary
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.policy import INDEX_ONLY
from pprof_exporter.scrape.target.scraper import TargetScraper
from pprof_exporter.store import Store

_FOR_EVER = 1e12


def without_expiry(settings: Settings, *, audit: float | None = None) -> Settings:
    """The same settings without intervals; `audit` is seconds between two audits, None leaves them as they are."""
    profiles: dict[str, ProfileSettings] = {
        name: replace(profile, interval=_FOR_EVER) for name, profile in settings.profiles.items()
    }
    return replace(
        settings,
        profiles=profiles,
        index_interval=_FOR_EVER,
        audit=settings.audit if audit is None else audit,
    )


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


class Round:
    """One target, and what is known of it. Budget, back-off and deferral are for loops: here somebody asked."""

    def __init__(
        self, target: Target, settings: Settings, *, getter: Getter, clock: Clock, limiter: FetchLimiter, store: Store
    ) -> None:
        """`getter` asks with the client settings of the target."""
        settings = without_expiry(settings.overridden(target.overrides))
        self.state = TargetState(target, settings, store, clock)
        self._context = TargetContext(target, settings, getter, limiter, clock, self.state)
        self._getter = getter
        # Nothing here waits after failures, whose spread is what chance is for.
        self._scraper = TargetScraper(self._context, Random(0))  # noqa: S311
        self._scraper.log = _Silent()
        if isinstance(getter, RecordingClient):
            getter.during = lambda: self.state.canary.during

    async def look(self) -> None:
        """One round: the index page, every profile that it lists, cheap requests, and the CPU profile at the end."""
        if not await self._scrape_index():
            return
        collectors = self._scraper.collectors
        concurrent = [collector for collector in collectors if collector.concurrent]
        for collector in collectors:
            if collector not in concurrent and self._wanted(collector):
                await self._do(collector)
        if not self.state.up:
            # There is no index page, nor a profile without one.
            return
        for _ in range(_CANARIES - 1):
            await self._time_canary()
        for collector in concurrent:
            if self._wanted(collector):
                await self._with_canaries(collector)

    def _wanted(self, collector: Collector) -> bool:
        index = self.state.index
        return (index is None or index.lists(collector.path)) and not collector.would_harm()

    async def _scrape_index(self) -> bool:
        """Whether there may be profiles."""
        problem = await self._scraper.scrape_index()
        self._note(INDEX, problem)
        return problem is None or problem.reason in INDEX_ONLY

    async def _do(self, collector: Collector) -> None:
        self._note(collector.name, await self._scraper.do(collector))

    def _note(self, name: str, problem: FetchError | DecodeError | None) -> None:
        if isinstance(problem, DecodeError) and isinstance(self._getter, RecordingClient):
            self._getter.refuse(name, problem)

    async def _time_canary(self) -> None:
        async with self._context.place():
            await time_canary(self._context)

    async def _with_canaries(self, collector: Collector) -> None:
        """A CPU profile times one canary by itself; the others come at even distances while it runs."""
        canaries = asyncio.create_task(self._time_canaries())
        try:
            await self._do(collector)
        finally:
            canaries.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await canaries

    async def _time_canaries(self) -> None:
        clock, state = self._context.clock, self.state
        while not state.canary.windows:
            await clock.sleep(_LOOK_FOR_WINDOW)
        for _ in range(_CANARIES - 1):
            await clock.sleep(_WITHIN * self._context.settings.profiles["cpu"].window / _CANARIES)
            await time_canary(self._context)
