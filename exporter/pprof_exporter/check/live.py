"""Checks targets on the network."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pprof_exporter.check.report import TargetAssessor, TargetReport
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.descriptors import raise_descriptor_limit
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.round import OnRound, Round, RoundPlan
from pprof_exporter.store import Store
from pprof_exporter.verdicts import snapshot_of


async def check_live(
    settings: Settings, assessor: TargetAssessor, plan: RoundPlan, clock: Clock, on_round: OnRound
) -> list[TargetReport]:
    """Run the rounds of all targets concurrently, and assess each target after its last round."""
    _, descriptors = raise_descriptor_limit()
    limiter = FetchLimiter(settings.limits, descriptors)
    fetcher = Fetcher(clock, max_bytes=settings.limits.wire_bytes)
    for target in settings.targets:
        fetcher.expect(target.url)

    async def one(target: Target) -> TargetReport:
        # Replicas of a service share epochs in a store, and one round is no rollout: each target has its own store.
        store = Store.open(None, clock.now())
        getter = fetcher.bind(target.client, target.params)
        round_ = Round(target, settings, getter=getter, clock=clock, limiter=limiter, store=store)
        async for number in plan.paced(clock):
            await round_.run()
            on_round(target, number)
        snapshot = replace(snapshot_of(round_.state, clock.now()), budget=None)
        return assessor.assess(round_.state, snapshot, problem=round_.problem)

    return list(await asyncio.gather(*(one(target) for target in settings.targets)))
