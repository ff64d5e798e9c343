"""What becomes of each look at a target: what it found, counters, back-off, and whether the target is up."""

from __future__ import annotations

from random import Random
from typing import Protocol

import structlog

from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.cpu import ReadCpuProfile
from pprof_exporter.scrape.errands import Errand, ReadIndex, ReadProfile, Tools
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.gate import INDEX_ONLY, Gate
from pprof_exporter.scrape.looks import ReadMemStats, ReadStacks, TimeCanary
from pprof_exporter.scrape.mutex import ReadMutexProfile
from pprof_exporter.scrape.names import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.scrape.state import TargetState
from pprof_exporter.scrape.tally import Tally


class Log(Protocol):
    """Takes events; a logger of structlog does."""

    def debug(self, event: str, **fields: object) -> object:
        """Something that few want to read."""

    def info(self, event: str, **fields: object) -> object:
        """Something that happened."""

    def warning(self, event: str, **fields: object) -> object:
        """Something that went wrong."""


class Visits:
    """Everything that can be looked at of one target; when, is for others to decide. Nothing that it does raises."""

    def __init__(self, tools: Tools, random: Random) -> None:
        self._tools = tools
        self._clock = tools.clock
        self.errands = _errands(tools)
        self.index = ReadIndex(tools)
        self._gate = Gate(tools, self.errands, random)
        self.log: Log = structlog.get_logger().bind(target=tools.target.name)

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._tools.state

    def opens(self, errand: Errand, *, running: bool = False) -> bool:
        """Whether to run an errand now, see `Gate`."""
        return self._gate.opens(errand, running=running)

    @property
    def closed_by(self) -> str:
        """Why the latest errand was turned away, as a label value; "" if the target does not have it."""
        return str(self._gate.closed_by or "")

    async def look_at_index(self) -> FetchError | DecodeError | None:
        """Read the index page: whether the target is up. Returns what went wrong."""
        try:
            await self.index.run()
        except (FetchError, DecodeError) as error:
            self.state.index, self.state.index_problem = None, error.reason
            self.state.wedge.asked(INDEX, error.reason)
            # Profiles that are mounted without an index page show by themselves that the target is up.
            if error.reason not in INDEX_ONLY or not self._answered_lately():
                self._set_up(up=False)
            self._count_failure(INDEX, self.state.index_tally, error)
            return error
        self.state.wedge.asked(INDEX, None)
        self._set_up(up=True)
        return None

    async def do(self, errand: Errand) -> FetchError | DecodeError | None:
        """Run an errand, and take note of how it ended. Returns what went wrong."""
        try:
            await errand.run()
        except (FetchError, DecodeError) as error:
            self._gate.failed(errand)
            self.state.wedge.asked(errand.name, error.reason)
            self._count_failure(errand.name, errand.tally, error)
            return error
        else:
            self._gate.succeeded(errand)
            self.state.wedge.asked(errand.name, None)
            # The canary takes any page for an answer, also that of a router which knows no pprof.
            if errand.name != CANARY:
                self._set_up(up=True)
            return None
        finally:
            self.state.revision += 1

    def _answered_lately(self) -> bool:
        horizon = self._clock.now() - 3 * self.index.interval
        return any((errand.tally.last_success or 0) > horizon for errand in self.errands)

    def _set_up(self, *, up: bool) -> None:
        if up == self.state.up:
            return
        if up:
            self.log.info("target is up")
            self._gate.came_up()
        self.state.up = up

    def _count_failure(self, profile: str, tally: Tally, error: FetchError | DecodeError) -> None:
        reason = error.reason
        # A failure that goes on is one event, not one every cycle.
        report = self.log.debug if tally.last_reason is reason else self.log.warning
        tally.failed(reason, error.detail, decoding=isinstance(error, DecodeError))
        report("fetch failed", profile=profile, reason=str(reason), detail=error.detail, advice=reason.advice)


def _errands(tools: Tools) -> list[Errand]:
    """What the settings ask for: the profiles in the order of `KINDS`, then the other looks."""
    profiles: list[Errand] = [
        _READERS.get(name, ReadProfile)(tools, profile) for name, profile in tools.state.profiles.items()
    ]
    return profiles + [look(tools) for name, look in _LOOKS.items() if tools.settings.profiles[name].enabled]


_READERS: dict[str, type[ReadProfile]] = {"cpu": ReadCpuProfile, "mutex": ReadMutexProfile}
_LOOKS: dict[str, type[TimeCanary | ReadMemStats | ReadStacks]] = {
    CANARY: TimeCanary,
    MEMSTATS: ReadMemStats,
    STACKS: ReadStacks,
}
