"""Targets on the network, looked at in rounds and judged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace

from pprof_exporter.check.report import TargetReport, assess, why_down
from pprof_exporter.config import Settings, Target
from pprof_exporter.scrape import Clock, Fetcher
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.round import Round
from pprof_exporter.store import Store
from pprof_exporter.verdicts import snapshot_of

OnRound = Callable[[Target, int], None]
"""Is told of each round that ended, by its number from 0."""


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """How often to look, and how many seconds lie between the beginnings of two looks."""

    rounds: int
    every: float

    async def paced(self, clock: Clock, first: int = 0) -> AsyncIterator[int]:
        """The number of each round from `first` on, when its time has come. A round that is late waits for nothing."""
        for number in range(first, self.rounds):
            began = clock.steady()
            yield number
            if number + 1 < self.rounds:
                await clock.sleep(began + self.every - clock.steady())


async def check_live(
    settings: Settings, thresholds: Mapping[str, float], plan: RoundPlan, clock: Clock, told: OnRound
) -> list[TargetReport]:
    """Look at all targets at once, and judge each after its last round."""
    limiter = FetchLimiter(settings.limits)
    async with Fetcher(clock, max_bytes=settings.limits.wire_bytes) as fetcher:

        async def one(target: Target) -> TargetReport:
            # Replicas of a service share epochs, and one look is no rollout: each has a store of its own.
            store = Store.open(None, clock.now())
            getter = fetcher.of(target.client, target.params)
            round_ = Round(target, settings, getter=getter, clock=clock, limiter=limiter, store=store)
            async for number in plan.paced(clock):
                await round_.look()
                told(target, number)
            snapshot = replace(snapshot_of(round_.state, clock.now()), budget=None)
            return assess(round_.state, snapshot, thresholds, problem=why_down(round_.state))

        return list(await asyncio.gather(*(one(target) for target in settings.targets)))
