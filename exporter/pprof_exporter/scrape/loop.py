"""The life of one target: when to look at what, and what to do when that fails."""

from __future__ import annotations

import asyncio
from random import Random

import structlog

from pprof_exporter.catalog import Outcome, Reason, Skip
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.cpu import ReadCpuProfile
from pprof_exporter.scrape.errands import Errand, ReadIndex, ReadProfile, Tools
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.gate import INDEX_ONLY, Gate
from pprof_exporter.scrape.looks import ReadMemStats, ReadStacks, TimeCanary
from pprof_exporter.scrape.mutex import ReadMutexProfile
from pprof_exporter.scrape.names import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.scrape.schedule import Ticks
from pprof_exporter.scrape.state import TargetState
from pprof_exporter.scrape.tally import Tally


class TargetLoop:
    """Looks at one target until it is stopped. Nothing that the target does ends it."""

    def __init__(self, tools: Tools, random: Random) -> None:
        self._tools = tools
        self._clock = tools.clock
        self._errands = _errands(tools)
        self._gate = Gate(tools, self._errands, random)
        self._index = ReadIndex(tools)
        now = tools.clock.steady()
        name = tools.target.name
        self._index_ticks = Ticks(f"{name}/{INDEX}", self._index.interval, now=now)
        self._ticks = {errand: Ticks(f"{name}/{errand.name}", errand.interval, now=now) for errand in self._errands}
        self._beside: dict[Errand, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger().bind(target=name)

    @property
    def tools(self) -> Tools:
        """What the target is asked with."""
        return self._tools

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._tools.state

    def stop(self) -> None:
        """Let `run` end after the fetch that is under way."""
        self._stopping.set()

    async def run(self, delay: float = 0) -> None:
        """Look at the target after `delay` seconds, and then on every tick, until stopped or cancelled."""
        await self._wait(delay)
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                await self._round(group)
                due = min(self._index_ticks.due, *(ticks.due for ticks in self._ticks.values()))
                await self._wait(due - self._clock.steady())

    async def _wait(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """Everything that is due now, the index page first: it is cheap, and tells what else there is to fetch."""
        if self._index_ticks.due <= self._clock.steady():
            await self._look_at_index()
            self._advance(self._index_ticks, self.state.index_tally)
        for errand, ticks in self._ticks.items():
            if self._stopping.is_set() or ticks.due > self._clock.steady():
                continue
            if self._gate.opens(errand, running=self._running(errand)):
                if errand.beside:
                    # So that the cheap looks go on meanwhile.
                    self._beside[errand] = group.create_task(self._do(errand))
                else:
                    await self._do(errand)
            self._advance(ticks, errand.tally)

    def _advance(self, ticks: Ticks, tally: Tally) -> None:
        missed = ticks.advance(self._clock.steady())
        if missed:
            tally.skipped[Skip.LATE] += missed

    def _running(self, errand: Errand) -> bool:
        task = self._beside.get(errand)
        return task is not None and not task.done()

    async def _look_at_index(self) -> None:
        try:
            await self._index.run()
        except (FetchError, DecodeError) as error:
            self.state.index, self.state.index_problem = None, error.reason
            self.state.wedge.asked(INDEX, error.reason)
            # Profiles that are mounted without an index page show by themselves that the target is up.
            if error.reason not in INDEX_ONLY or not self._answered_lately():
                self._set_up(up=False)
            self._count_failure(INDEX, self.state.index_tally, error)
        else:
            self.state.wedge.asked(INDEX, None)
            self._set_up(up=True)

    async def _do(self, errand: Errand) -> None:
        try:
            await errand.run()
        except (FetchError, DecodeError) as error:
            self._gate.failed(errand)
            self.state.wedge.asked(errand.name, error.reason)
            self._count_failure(errand.name, errand.tally, error)
        else:
            self._gate.succeeded(errand)
            self.state.wedge.asked(errand.name, None)
            self._set_up(up=True)

    def _answered_lately(self) -> bool:
        horizon = self._clock.now() - 3 * self._index.interval
        return any((errand.tally.last_success or 0) > horizon for errand in self._errands)

    def _set_up(self, *, up: bool) -> None:
        if up == self.state.up:
            return
        if up:
            self._log.info("target is up")
            self._gate.came_up()
        self.state.up = up

    def _count_failure(self, profile: str, tally: Tally, error: FetchError | DecodeError) -> None:
        reason = error.reason
        if reason is Reason.BUSY:
            tally.outcomes[Outcome.BUSY] += 1
        else:
            tally.outcomes[Outcome.FAILURE] += 1
            failures = tally.decode_failures if isinstance(error, DecodeError) else tally.fetch_failures
            failures[reason] += 1
        # A failure that goes on is one event, not one every cycle.
        report = self._log.debug if tally.last_reason is reason else self._log.warning
        tally.history.add(None)
        tally.last_problem, tally.last_reason = f"{reason}: {error.detail}", reason
        report("fetch failed", profile=profile, reason=str(reason), detail=error.detail, advice=reason.advice)


def _errands(tools: Tools) -> list[Errand]:
    """What the settings ask for: the profiles in the order of `KINDS`, then the other looks."""
    errands: list[Errand] = [
        _READERS.get(name, ReadProfile)(tools, profile) for name, profile in tools.state.profiles.items()
    ]
    return errands + [look(tools) for name, look in _LOOKS.items() if tools.settings.profiles[name].enabled]


_READERS: dict[str, type[ReadProfile]] = {"cpu": ReadCpuProfile, "mutex": ReadMutexProfile}
_LOOKS: dict[str, type[TimeCanary | ReadMemStats | ReadStacks]] = {
    CANARY: TimeCanary,
    MEMSTATS: ReadMemStats,
    STACKS: ReadStacks,
}
