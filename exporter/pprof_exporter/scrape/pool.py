"""All targets: starts, supervises, replaces and stops the loop of each."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import dataclass, replace
from random import Random

import structlog

from pprof_exporter.catalog import exporter
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.loop import TargetLoop
from pprof_exporter.scrape.target.schedule import phase
from pprof_exporter.store import EpochRetention, Store

_LAG_EVERY = 0.5
# The first looks of many targets come this many seconds apart, and all within one cycle.
_FIRST_LOOK_APART = 0.1
# More new targets than this are taken up little by little, so that the rest goes on meanwhile.
_AT_ONCE = 1000
_LITTLE = 20
_RESTART_AFTER = 30.0
_STORE_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class _Watched:
    loop: TargetLoop
    task: asyncio.Task[None]


class Pool:
    """The targets of one exporter. Use inside a running event loop; `close` ends everything that `apply` began."""

    def __init__(
        self,
        settings: Settings,
        *,
        fetcher: Fetcher,
        clock: Clock,
        random: Random,
        store: Store,
        bodies: RawProfiles | None = None,
    ) -> None:
        self.limiter = FetchLimiter(settings.limits)
        self.lag_counts = [0] * (len(exporter.LOOP_LAG.buckets) + 1)
        self.lag_sum = 0.0
        self.internal_errors = 0
        self._settings = replace(settings, targets=(), jobs=())
        self._fetcher = fetcher
        self._clock = clock
        self._random = random
        self._store = store
        self._bodies = bodies
        self._watched: dict[Target, _Watched] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._arriving: asyncio.Task[None] | None = None
        self._chores = [asyncio.create_task(self._watch_lag()), asyncio.create_task(self._keep_store())]
        self.apply(settings)

    @property
    def store(self) -> Store:
        """Where the statistics of signals are kept."""
        return self._store

    @property
    def clock(self) -> Clock:
        """The clock that all of its targets go by."""
        return self._clock

    @property
    def settings(self) -> Settings:
        """The settings in use, without their targets."""
        return self._settings

    @property
    def states(self) -> list[TargetState]:
        """The state of every target, in the order of their names."""
        return [self._watched[target].loop.state for target in sorted(self._watched, key=lambda target: target.name)]

    def context(self, target: str) -> TargetContext | None:
        """What the target of this name is asked with; None if there is none."""
        return next((watched.loop.context for known, watched in self._watched.items() if known.name == target), None)

    def apply(self, settings: Settings) -> None:
        """Take over a configuration. A target that is in both, under settings that stay, is not disturbed.

        What is said of evidence is that of the first configuration.
        """
        if settings.evidence != self._settings.evidence:
            structlog.get_logger().warning("evidence settings changed, restart the exporter to apply them")
        settings = replace(settings, evidence=self._settings.evidence)
        if settings.limits != self._settings.limits:
            self.limiter.use(settings.limits)
            self._fetcher.max_bytes = settings.limits.wire_bytes
        everything_else = replace(settings, targets=(), jobs=())
        staying = set(settings.targets) if everything_else == self._settings else set()
        self._settings = everything_else
        for target in [target for target in self._watched if target not in staying]:
            leaving = self._watched.pop(target)
            leaving.loop.stop()
            self._leaving.add(leaving.task)
            leaving.task.add_done_callback(self._leaving.discard)
        new = [target for target in settings.targets if target not in self._watched]
        spread = min(settings.index_interval, _FIRST_LOOK_APART * len(new))
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None
        self._watch_all(new[:_AT_ONCE], settings, spread)
        if len(new) > _AT_ONCE:
            self._arriving = asyncio.create_task(self._watch_more(new[_AT_ONCE:], settings, spread))

    async def close(self, deadline: float) -> None:
        """Let fetches under way end for `deadline` seconds, then cut them. Go stops profiling when a client goes."""
        if self._arriving is not None:
            self._arriving.cancel()
        for chore in self._chores:
            chore.cancel()
        for watched in self._watched.values():
            watched.loop.stop()
        tasks = {watched.task for watched in self._watched.values()} | self._leaving | set(self._chores)
        _, late = await asyncio.wait(tasks, timeout=deadline)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._store.close, self._clock.now())

    async def _watch_more(self, targets: list[Target], settings: Settings, spread: float) -> None:
        for first in range(0, len(targets), _LITTLE):
            await asyncio.sleep(0)
            self._watch_all(targets[first : first + _LITTLE], settings, spread)

    def _watch_all(self, targets: list[Target], settings: Settings, spread: float) -> None:
        for target in targets:
            self._watch(target, settings, phase(target.name, spread))

    def _watch(self, target: Target, settings: Settings, delay: float) -> None:
        settings = settings.overridden(target.overrides)
        state = TargetState(target, settings, self._store, self._clock)
        fetcher = self._fetcher.of(target.client, target.params)
        context = TargetContext(target, settings, fetcher, self.limiter, self._clock, state, self._bodies)
        loop = TargetLoop(context, self._random)
        task = asyncio.create_task(self._run(loop, delay), name=f"target {target.name}")
        self._watched[target] = _Watched(loop, task)

    async def _run(self, loop: TargetLoop, delay: float) -> None:
        """Run a loop again if a fault of ours ends it: loudly, and without harm to other targets."""
        while True:
            try:
                await loop.run(delay)
            except Exception:  # noqa: BLE001 - whatever it is, it ends one target and not the exporter
                self.internal_errors += 1
                structlog.get_logger().exception("internal error, please report it", target=loop.state.target.name)
                delay = _RESTART_AFTER
            else:
                return

    async def _keep_store(self) -> None:
        """Write what was observed, remove what is too old, and work out the comparisons that /metrics shows."""
        told = ""
        while True:
            if self._store.last_trouble != told:
                told = self._store.last_trouble
                structlog.get_logger().warning("storage failed, statistics stay in memory", detail=told)
            await self._clock.sleep(_STORE_EVERY)
            await asyncio.to_thread(self._store.expire, self._clock.now(), EpochRetention())
            await asyncio.to_thread(_compare, self.states)

    async def _watch_lag(self) -> None:
        while True:
            before = self._clock.steady()
            await self._clock.sleep(_LAG_EVERY)
            lag = max(0.0, self._clock.steady() - before - _LAG_EVERY)
            self.lag_counts[bisect_left(exporter.LOOP_LAG.buckets, lag)] += 1
            self.lag_sum += lag


def _compare(states: list[TargetState]) -> None:
    for state in states:
        before = state.identity.comparison
        state.identity.compare()
        if state.identity.comparison != before:
            state.revision += 1
