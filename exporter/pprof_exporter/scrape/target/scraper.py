"""Runs the collectors of one target, and records the outcome of each run."""

from __future__ import annotations

from random import Random
from typing import Protocol

from pprof_exporter.catalog import ReasonGroup, Skip
from pprof_exporter.catalog.hints import advice_on
from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, STACKS
from pprof_exporter.event_log import LOG
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError, NoRoom
from pprof_exporter.scrape.client.transport_errors import forget_frames
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.auxiliary_collectors import CanaryCollector, MemStatsCollector, StacksCollector
from pprof_exporter.scrape.target.collector import Collector, IndexCollector, MutexCollector, ProfileCollector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.cpu_collector import CpuCollector
from pprof_exporter.scrape.target.failure_log import FailureLog
from pprof_exporter.scrape.target.policy import FetchPolicy

# The index page is fetched twice as often as the CPU profile.
_IDENTIFY_ROUNDS = 2


class EventLog(Protocol):
    """A log of events, such as `event_log.LOG`."""

    def debug(self, event: str, **fields: object) -> object:
        """Log a detail."""

    def info(self, event: str, **fields: object) -> object:
        """Log an event."""

    def warning(self, event: str, **fields: object) -> object:
        """Log a problem."""


class TargetScraper:
    """All collectors of one target. The caller decides when each runs. Failures of the target are returned."""

    def __init__(self, context: TargetContext, random: Random) -> None:
        self._context = context
        self.collectors = _collectors(context)
        self.index = IndexCollector(context)
        self._policy = FetchPolicy(context, self.collectors, random)
        self.log: EventLog = LOG.bind(target=context.target.name)
        self._failures = FailureLog(context.clock.steady)
        self._recoveries = context.state.recoveries
        self._processes = context.state.processes

    @property
    def state(self) -> TargetState:
        """The state of the target."""
        return self._context.state

    def allows(self, collector: Collector, *, running: bool = False) -> bool:
        """Whether to run a collector now, see `FetchPolicy.allows`."""
        return self._policy.allows(collector, running=running)

    @property
    def refusal(self) -> str:
        """Why the latest collector was skipped or deferred, as a label value; "" if not, or the target lacks it."""
        return str(self._policy.refusal or "")

    async def scrape_index(self) -> FetchError | DecodeError | None:
        """Fetch the index page, which shows whether the target is up. Returns the error, or None."""
        problem: FetchError | DecodeError | None = None
        try:
            await self.index.run()
        except (FetchError, DecodeError) as error:
            forget_frames(error)
            self._failed(INDEX, error)
            problem = error
        else:
            self._succeeded(INDEX)
        if self.state.up and self.state.profiles:
            await self._identify()
            self._context.intake.settle()
        return problem

    async def _identify(self) -> None:
        """Read which process answers.

        Its metrics page is fetched when it is new, and otherwise as often as CPU profiles do that anyway.
        """
        source, now = self._context.process, self._context.clock.steady()
        if self._processes != self.state.processes:
            # What the process before had or lacked says nothing about this one: a new release may have a metrics page.
            self._processes = self.state.processes
            source.reset()
        if now - source.read_at < _IDENTIFY_ROUNDS * self.index.interval:
            await self._context.read_process(page=False)
            return
        async with self._context.slot():
            await self._context.read_process()

    async def run(self, collector: Collector) -> FetchError | DecodeError | None:
        """Run a collector. Returns the error, or None."""
        try:
            await collector.run()
        except (FetchError, DecodeError) as error:
            # Returned as a value: a task that has ended keeps it, and with its traceback the body of the reply.
            forget_frames(error)
            if error.reason.group is not ReasonGroup.OWN or isinstance(error, NoRoom):
                self._policy.failed(collector)
            self._failed(collector.name, error)
            return error
        else:
            self._policy.succeeded(collector)
            self._succeeded(collector.name)
            return None
        finally:
            self.state.revision += 1

    def _succeeded(self, name: str) -> None:
        """Asked after each success: a callback of the intake would make a reference cycle of every target."""
        for fields in self._failures.succeeded(name):
            self.log.info("fetches succeed again", **fields)
        if self._recoveries != self.state.recoveries:
            self._recoveries = self.state.recoveries
            line = self._failures.recovered()
            if line is not None:
                self.log.info("target is up", **line)
            self._policy.on_recovery()
            self._context.process.reset()

    def _failed(self, name: str, error: FetchError | DecodeError) -> None:
        if isinstance(error, NoRoom):
            self._had_no_room(name, error)
            return
        reason = error.reason
        if isinstance(error, ExporterExhausted):
            self._exhausted(name, error)
            return
        self._context.intake.failed(name, error)
        fields = self._failures.failed(name, reason)
        report = self.log.debug if fields is None else self.log.warning
        report(
            "fetch failed",
            profile=name,
            reason=str(reason),
            detail=error.detail,
            advice=advice_on(reason, error.hint),
            **(fields or {}),
        )

    def _had_no_room(self, name: str, error: NoRoom) -> None:
        """Count a fetch for which the exporter had no memory. It says nothing about the target."""
        self.state.counters[name].skipped[Skip.MEMORY] += 1
        self.log.debug("no room for a reply", profile=name, detail=error.detail)

    def _exhausted(self, name: str, error: ExporterExhausted) -> None:
        """The exporter has its own line and count for it, whatever the target."""
        troubles = self.state.exporter_load.troubles
        if troubles is not None and not error.counted:
            troubles.count(error.resource, error.cause)
        self.log.debug("not fetched", profile=name, reason=str(error.reason), detail=error.detail)


def _collectors(context: TargetContext) -> list[Collector]:
    """The enabled collectors: profiles in the order of `KINDS`, then the auxiliary ones."""
    profiles: list[Collector] = [
        _SPECIAL.get(name, ProfileCollector)(context, profile) for name, profile in context.state.profiles.items()
    ]
    return profiles + [
        collector(context) for name, collector in _AUXILIARY.items() if context.settings.profiles[name].enabled
    ]


_SPECIAL: dict[str, type[ProfileCollector]] = {"cpu": CpuCollector, "mutex": MutexCollector}
_AUXILIARY: dict[str, type[CanaryCollector | MemStatsCollector | StacksCollector]] = {
    CANARY: CanaryCollector,
    MEMSTATS: MemStatsCollector,
    STACKS: StacksCollector,
}
