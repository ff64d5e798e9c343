"""All targets: starts, supervises, replaces and stops the loop of each."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from pprof_exporter.catalog import exporter
from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.descriptors import NO_LIMIT, DescriptorLimit
from pprof_exporter.event_log import LOG
from pprof_exporter.scrape.client.bytes_in_flight import BytesInFlight
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.state.exporter_load import ExporterLoad
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.loop import TargetLoop
from pprof_exporter.scrape.target.schedule import phase
from pprof_exporter.store import EpochRetention, StorageProblem, Store
from pprof_exporter.supervision import Supervisor
from pprof_exporter.threads import Threads
from pprof_exporter.time_slices import TimeSlices

if TYPE_CHECKING:
    from pprof_exporter.scrape.state.raw_profiles import RawProfiles

# Seconds between the first rounds of two targets; the first rounds of all targets fall within one index interval.
_FIRST_ROUND_APART = 0.1
# More new targets than this are started in steps, so that the event loop serves other work in between.
_AT_ONCE = 100
_STORE_EVERY = 30.0
# An upgrade is compared that many times sooner, so that it is shown whole at once.
_COMPARE_CHANGED = 6
_STORING = Threads("store", 1)


@dataclass(frozen=True, slots=True)
class _Watched:
    loop: TargetLoop
    task: asyncio.Task[None]


class Pool:
    """The targets of one exporter. Use inside a running event loop; `close` stops everything that `apply` started."""

    def __init__(  # noqa: PLR0913 - each is shared by the whole exporter
        self,
        settings: Settings,
        *,
        fetcher: Fetcher,
        clock: Clock,
        random: Random,
        store: Store,
        raw_profiles: RawProfiles | None = None,
        supervisor: Supervisor | None = None,
        descriptors: DescriptorLimit = NO_LIMIT,
    ) -> None:
        self.supervisor = supervisor or Supervisor(clock, random)
        self.limiter = FetchLimiter(settings.limits, descriptors)
        self.lag_counts = [0] * (len(exporter.LOOP_LAG.buckets) + 1)
        self.lag_sum = 0.0
        self._settings = replace(settings, targets=(), jobs=())
        self._fetcher = fetcher
        self._clock = clock
        self._random = random
        self._store = store
        self._raw_profiles = raw_profiles
        self._watched: dict[Target, _Watched] = {}
        self._states: tuple[TargetState, ...] | None = ()
        self._stopping: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[None] | None = None
        self.load = ExporterLoad(clock, self.supervisor.troubles)
        self._tasks = [
            self.supervisor.start(BackgroundTask.LOAD, lambda: self.load.measure(self._count_lag)),
            self.supervisor.start(BackgroundTask.STORE, self._maintain_store, on_failure=self._store_failed),
        ]
        self.apply(settings)

    @property
    def internal_errors(self) -> int:
        """Errors of the exporter itself."""
        return self.supervisor.internal_errors

    @property
    def store(self) -> Store:
        """The statistics of all signals."""
        return self._store

    @property
    def clock(self) -> Clock:
        """The clock of all targets."""
        return self._clock

    @property
    def in_flight(self) -> BytesInFlight:
        """The bound on the memory of all replies."""
        return self._fetcher.in_flight

    @property
    def settings(self) -> Settings:
        """The settings in use, without their targets."""
        return self._settings

    @property
    def states(self) -> tuple[TargetState, ...]:
        """The state of every target, ordered by name; the same object until targets come or go."""
        if self._states is None:
            states = [watched.loop.state for watched in self._watched.values()]
            self._states = tuple(sorted(states, key=lambda state: state.target.name))
        return self._states

    def context(self, target: str) -> TargetContext | None:
        """The context of the target with this name; None if there is none."""
        return next((watched.loop.context for known, watched in self._watched.items() if known.name == target), None)

    def apply(self, settings: Settings) -> None:
        """Apply a configuration. A target that is in the old and the new one, with equal settings, is not disturbed.

        The evidence settings stay those of the first configuration.
        """
        if settings.evidence != self._settings.evidence:
            LOG.warning("evidence settings changed, restart the exporter to apply them")
        settings = replace(settings, evidence=self._settings.evidence)
        if settings.limits != self._settings.limits:
            self.limiter.apply(settings.limits)
            self._fetcher.max_bytes = settings.limits.wire_bytes
        everything_else = replace(settings, targets=(), jobs=())
        staying = set(settings.targets) if everything_else == self._settings else set()
        self._settings = everything_else
        for target in [target for target in self._watched if target not in staying]:
            removed = self._watched.pop(target)
            self._states = None
            removed.loop.stop()
            self._stopping.add(removed.task)
            removed.task.add_done_callback(self._stopping.discard)
        new = [target for target in settings.targets if target not in self._watched]
        spread = min(settings.index_interval, _FIRST_ROUND_APART * len(new))
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        for target in new:
            self._fetcher.expect(target.url)
        waiting = deque(new)
        try:
            for _ in new[:_AT_ONCE]:
                self._start_next(waiting, settings, spread)
        except Exception as error:  # noqa: BLE001 - the others start in any case
            self.supervisor.internal_error(error)
        if waiting:
            work = partial(self._start_in_steps, waiting, settings, spread)
            self._starting = self.supervisor.start(BackgroundTask.START, work, endless=False)

    async def close(self, deadline: float) -> None:
        """Wait `deadline` seconds for fetches in flight, then cut them: Go stops profiling when a client leaves."""
        if self._starting is not None:
            self._starting.cancel()
        for task in self._tasks:
            task.cancel()
        for watched in self._watched.values():
            watched.loop.stop()
        tasks = {watched.task for watched in self._watched.values()} | self._stopping | set(self._tasks)
        _, late = await asyncio.wait(tasks, timeout=deadline)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._store.close, self._clock.now())

    async def _start_in_steps(self, waiting: deque[Target], settings: Settings, spread: float) -> None:
        slices = TimeSlices()
        while waiting:
            await slices.pause()
            self._start_next(waiting, settings, spread)

    def _start_next(self, waiting: deque[Target], settings: Settings, spread: float) -> None:
        """Start the first of these targets. One that cannot be started becomes the last, so that all others are."""
        try:
            self._start(waiting[0], settings, phase(waiting[0].name, spread))
        except Exception:
            waiting.rotate(-1)
            raise
        waiting.popleft()

    def _start(self, target: Target, settings: Settings, delay: float) -> None:
        settings = settings.overridden(target.overrides)
        state = TargetState(target, settings, self._store, self._clock, exporter_load=self.load)
        fetcher = self._fetcher.bind(target.client, target.params)
        context = TargetContext(target, settings, fetcher, self.limiter, self._clock, state, self._raw_profiles)
        loop = TargetLoop(context, self._random)
        delays = iter((delay,))
        task = self.supervisor.start(
            BackgroundTask.TARGET, lambda: loop.run(next(delays, 0.0)), endless=False, about=target.name
        )
        self._watched[target] = _Watched(loop, task)
        self._states = None

    def _store_failed(self, error: BaseException) -> None:
        self._store.troubles[StorageProblem.INTERNAL] += 1
        self._store.last_trouble = f"internal error: {error}"

    async def _maintain_store(self) -> None:
        """Write new statistics, remove old epochs, and compute the comparisons for /metrics."""
        reported = ""
        while True:
            if self._store.last_trouble != reported:
                reported = self._store.last_trouble
                LOG.warning("storage trouble", detail=reported)
            for _ in range(_COMPARE_CHANGED):
                await self._clock.sleep(_STORE_EVERY / _COMPARE_CHANGED)
                changed = [state for state in self.states if state.identity.comparison_due]
                if changed:
                    await _STORING.run(partial(_compare, changed))
            await _STORING.run(partial(self._store.expire, self._clock.now(), EpochRetention()))
            await _STORING.run(partial(_compare, self.states))

    def _count_lag(self, lag: float) -> None:
        self.lag_counts[bisect_left(exporter.LOOP_LAG.buckets, lag)] += 1
        self.lag_sum += lag


def _compare(states: Iterable[TargetState]) -> None:
    for state in states:
        before = state.identity.comparison
        state.identity.compare()
        if state.identity.comparison != before:
            state.revision += 1
