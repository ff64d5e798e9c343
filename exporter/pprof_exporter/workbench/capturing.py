"""Rounds of targets, written down as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pprof_exporter.catalog import sampling
from pprof_exporter.config import Settings, Target
from pprof_exporter.scrape import Clock, Fetcher, TargetState
from pprof_exporter.scrape.limiter import Limiter
from pprof_exporter.store import Store
from pprof_exporter.workbench.judged import down
from pprof_exporter.workbench.live import Plan, Told
from pprof_exporter.workbench.looking import Looker
from pprof_exporter.workbench.noting import NotingGetter
from pprof_exporter.workbench.rounds import CpuUsed, Round, TargetEntry
from pprof_exporter.workbench.writer import Writer


@dataclass(frozen=True, slots=True)
class Captured:
    """What came of one target: rounds on disk, and why the latest brought nothing, "" if it did."""

    entry: TargetEntry
    rounds: int
    problem: str


@dataclass(frozen=True, slots=True)
class Recorder:
    """What captures: where to, how often, and who is told."""

    writer: Writer
    settings: Settings
    plan: Plan
    clock: Clock
    told: Told

    async def capture(self, entries: Mapping[Target, TargetEntry]) -> list[Captured]:
        """Record the rounds that are missing, of all targets at once. Raises `RecordingError`.

        Cancelled within a round, it leaves that round out.
        """
        limiter = Limiter(self.settings.limits)
        async with Fetcher(self.clock, max_bytes=self.settings.limits.wire_bytes) as fetcher:
            tasks = [
                asyncio.create_task(self._one(entry, target, fetcher, limiter)) for target, entry in entries.items()
            ]
            try:
                return list(await asyncio.gather(*tasks))
            finally:
                # If one cannot write, neither can the others.
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, entry: TargetEntry, target: Target, fetcher: Fetcher, limiter: Limiter) -> Captured:
        problem, clock = "", self.clock
        own = self.settings.overridden(target.overrides)
        noting = NotingGetter(fetcher.of(target.client, target.params), target, own, clock)
        store = Store.open(None, clock.now())
        looker = Looker(target, self.settings, getter=noting, clock=clock, limiter=limiter, store=store)
        async for number in self.plan.paced(clock, self.writer.finished(entry)):
            noting.forget()
            at = clock.now()
            await looker.look()
            whole = round_of(number, at, looker.state, noting)
            await asyncio.to_thread(self.writer.write, entry, whole, noting.bodies)
            self.told(target, number)
            problem = down(looker.state)
        return Captured(entry, self.writer.finished(entry), problem)


def round_of(number: int, at: float, state: TargetState, noting: NotingGetter) -> Round:
    """What the latest look at a target brought, to be written down."""
    return Round(
        round=number,
        at=at,
        fetches=tuple(noting.fetches.values()),
        canary=tuple(noting.canary),
        cpu=_cpu(state, at),
        fingerprint=state.identity.fingerprint,
        go_version=state.identity.go_version,
        system=state.identity.system,
    )


def _cpu(state: TargetState, since: float) -> CpuUsed | None:
    """The CPU time used within the CPU profile of this round."""
    cpu = state.profiles.get("cpu")
    if cpu is None or cpu.latest is None or cpu.latest.at < since:
        return None
    for reading in cpu.latest.readings:
        if reading.family is sampling.CPU_USED and reading.value is not None:
            return CpuUsed(reading.value, dict(reading.labels)["source"])
    return None
