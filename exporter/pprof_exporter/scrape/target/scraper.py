"""What becomes of each look at a target: what it found, counters, back-off, and whether the target is up."""

from __future__ import annotations

from random import Random
from typing import Protocol

import structlog

from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.auxiliary_collectors import CanaryCollector, MemStatsCollector, StacksCollector
from pprof_exporter.scrape.target.collector import Collector, IndexCollector, ProfileCollector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.cpu_collector import CpuCollector
from pprof_exporter.scrape.target.mutex_collector import MutexCollector
from pprof_exporter.scrape.target.policy import INDEX_ONLY, FetchPolicy


class EventLog(Protocol):
    """Takes events; a logger of structlog does."""

    def debug(self, event: str, **fields: object) -> object:
        """Something that few want to read."""

    def info(self, event: str, **fields: object) -> object:
        """Something that happened."""

    def warning(self, event: str, **fields: object) -> object:
        """Something that went wrong."""


class TargetScraper:
    """Everything that can be looked at of one target; when, is for others to decide. Nothing that it does raises."""

    def __init__(self, context: TargetContext, random: Random) -> None:
        self._context = context
        self._clock = context.clock
        self.collectors = _collectors(context)
        self.index = IndexCollector(context)
        self._policy = FetchPolicy(context, self.collectors, random)
        self.log: EventLog = structlog.get_logger().bind(target=context.target.name)

    @property
    def state(self) -> TargetState:
        """What is known of the target."""
        return self._context.state

    def opens(self, collector: Collector, *, running: bool = False) -> bool:
        """Whether to run an errand now, see `FetchPolicy`."""
        return self._policy.opens(collector, running=running)

    @property
    def closed_by(self) -> str:
        """Why the latest errand was turned away, as a label value; "" if the target does not have it."""
        return str(self._policy.closed_by or "")

    async def scrape_index(self) -> FetchError | DecodeError | None:
        """Read the index page: whether the target is up. Returns what went wrong."""
        try:
            await self.index.run()
        except (FetchError, DecodeError) as error:
            self.state.index, self.state.index_problem = None, error.reason
            self.state.wedge.asked(INDEX, error.reason)
            # Profiles that are mounted without an index page show by themselves that the target is up.
            if error.reason not in INDEX_ONLY or not self._answered_lately():
                self._set_up(up=False)
            self._count_failure(INDEX, self.state.index_counters, error)
            return error
        self.state.wedge.asked(INDEX, None)
        self._set_up(up=True)
        return None

    async def do(self, collector: Collector) -> FetchError | DecodeError | None:
        """Run an errand, and take note of how it ended. Returns what went wrong."""
        try:
            await collector.run()
        except (FetchError, DecodeError) as error:
            self._policy.failed(collector)
            self.state.wedge.asked(collector.name, error.reason)
            self._count_failure(collector.name, collector.counters, error)
            return error
        else:
            self._policy.succeeded(collector)
            self.state.wedge.asked(collector.name, None)
            # The canary takes any page for an answer, also that of a router which knows no pprof.
            if collector.name != CANARY:
                self._set_up(up=True)
            return None
        finally:
            self.state.revision += 1

    def _answered_lately(self) -> bool:
        horizon = self._clock.now() - 3 * self.index.interval
        return any((collector.counters.last_success or 0) > horizon for collector in self.collectors)

    def _set_up(self, *, up: bool) -> None:
        if up == self.state.up:
            return
        if up:
            self.log.info("target is up")
            self._policy.on_recovery()
        self.state.up = up

    def _count_failure(self, profile: str, counters: FetchCounters, error: FetchError | DecodeError) -> None:
        reason = error.reason
        # A failure that goes on is one event, not one every cycle.
        report = self.log.debug if counters.last_reason is reason else self.log.warning
        counters.failed(reason, error.detail, decoding=isinstance(error, DecodeError))
        report("fetch failed", profile=profile, reason=str(reason), detail=error.detail, advice=reason.advice)


def _collectors(context: TargetContext) -> list[Collector]:
    """What the settings ask for: the profiles in the order of `KINDS`, then the other looks."""
    profiles: list[Collector] = [
        _READERS.get(name, ProfileCollector)(context, profile) for name, profile in context.state.profiles.items()
    ]
    return profiles + [look(context) for name, look in _LOOKS.items() if context.settings.profiles[name].enabled]


_READERS: dict[str, type[ProfileCollector]] = {"cpu": CpuCollector, "mutex": MutexCollector}
_LOOKS: dict[str, type[CanaryCollector | MemStatsCollector | StacksCollector]] = {
    CANARY: CanaryCollector,
    MEMSTATS: MemStatsCollector,
    STACKS: StacksCollector,
}
