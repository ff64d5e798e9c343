"""The CPU profile, with what it can be held against: CPU time really used, and the ticks of the sampling clock."""

from __future__ import annotations

import asyncio

from pprof_exporter.catalog import Outcome
from pprof_exporter.catalog.vocabulary import TRACE
from pprof_exporter.config import AuditWhen
from pprof_exporter.health import audit
from pprof_exporter.profile import (
    NANOSECONDS,
    DecodeError,
    System,
    Trace,
    UnsupportedTrace,
    from_metrics,
    from_trace,
    read_trace,
)
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.state.cpu_time import CpuTime, CpuUse, use_between
from pprof_exporter.scrape.state.target_state import ProfileState
from pprof_exporter.scrape.target.auxiliary_collectors import time_canary
from pprof_exporter.scrape.target.collector import ProfileCollector
from pprof_exporter.scrape.target.context import TargetContext, run_in_thread
from pprof_exporter.scrape.target.cpu_time_source import CpuTimeSource

# A trace of one second begins one second into the window, so that the profile encloses it.
_TRACE_SECONDS = 1.0
_TRACE_AFTER = 1.0
_SHORTEST_WINDOW = 3.0


class CpuCollector(ProfileCollector):
    """A CPU profile between two readings of the CPU time, and an audit of the sampling clock when one is due."""

    concurrent = True

    def __init__(self, context: TargetContext, profile: ProfileState) -> None:
        super().__init__(context, profile)
        self._cpu_time = CpuTimeSource(context.target, context.settings, context.fetcher, context.clock)

    async def run(self) -> None:
        """Fetch all of it, decode, judge, and note what it says."""
        context = self._context
        async with context.place(window=True, heavy=True):
            before = await self._cpu_time.read()
            trace, reply = await self._with_company()
            # One reading alone tells nothing, and of a page that hangs it would cost the timeout once more.
            after = await self._cpu_time.read() if before is not None else None
        self._learn_from_page(after)
        used = use_between(before, after, self.window)
        context.state.cpu_load.record(used.load if used else None)
        observation = await self._take_in(reply, used)
        began = observation.time_nanos / NANOSECONDS
        self._context.state.pauses.profiled(began, began + observation.profiled)
        if trace is not None:
            self._audit(trace, observation.period_nanos / NANOSECONDS, used)

    def on_recovery(self) -> None:
        """Look for the CPU time anew: a release may have brought a metrics page."""
        self._cpu_time.look_again()

    def _audit_due(self) -> bool:
        when, ticks = self._context.settings.audit, self._context.state.ticks
        if when is AuditWhen.OFF or self.window < _SHORTEST_WINDOW:
            return False
        if ticks.wanted:
            return True
        return not isinstance(when, AuditWhen) and self._context.clock.now() - ticks.asked_at >= when

    async def _with_company(self) -> tuple[Trace | None, Reply]:
        """A profile, and what is looked at while it runs; what fails of that does not cost the profile."""
        concurrent = asyncio.gather(self._trace() if self._audit_due() else _nothing(), self._time_canary())
        self._context.state.canary.windows += 1
        try:
            reply = await self.fetch()
            trace, _ = await concurrent
        finally:
            self._context.state.canary.windows -= 1
            concurrent.cancel()
            # Until they have ended; of a gather that nobody awaits, asyncio complains.
            await asyncio.gather(concurrent, return_exceptions=True)
        return trace, reply

    async def _time_canary(self) -> None:
        await self._context.clock.sleep(self.window / 2)
        await time_canary(self._context)

    async def _trace(self) -> Trace | None:
        context = self._context
        await context.clock.sleep(_TRACE_AFTER)
        # Only now: a profile that is refused at once leaves the audit to the next one.
        context.state.ticks.wanted = False
        context.state.ticks.asked_at = context.clock.now()
        try:
            reply = await context.fetcher.get(
                context.target.url.joinpath(TRACE),
                query={"seconds": f"{_TRACE_SECONDS:g}"},
                timeout=context.settings.timeout,
                window=_TRACE_SECONDS,
            )
            context.state.identity.learn_version(TRACE, from_trace(reply.body))
            trace = await run_in_thread(lambda: read_trace(reply.body), len(reply.body))
        except UnsupportedTrace:
            context.state.ticks.unsupported += 1
        except (FetchError, DecodeError):
            context.state.ticks.outcomes[Outcome.FAILURE] += 1
        else:
            context.keep(TRACE, reply)
            return trace
        return None

    def _audit(self, trace: Trace, period: float, used: CpuUse | None) -> None:
        state = self._context.state
        found = audit(trace, period=period, windows=state.identity.system is System.WINDOWS)
        state.learn_audit(found, self._context.clock.now(), used.seconds / self.window if used else None)

    def _learn_from_page(self, time: CpuTime | None) -> None:
        if time is not None and time.page is not None:
            self._context.state.identity.learn_version("metrics", from_metrics(time.page.go_version))


async def _nothing() -> None:
    """Stand in for a trace that is not due."""
