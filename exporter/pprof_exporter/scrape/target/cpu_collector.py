"""The CPU profile, with two references: the CPU time actually used, and the ticks of the sampling clock."""

from __future__ import annotations

import asyncio

from pprof_exporter.catalog.vocabulary import TRACE
from pprof_exporter.config import MIN_AUDIT_WINDOW, AuditWhen
from pprof_exporter.profile import DecodeError, Trace
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.intake import read_trace_body
from pprof_exporter.scrape.state.cpu_time import use_between
from pprof_exporter.scrape.target.auxiliary_collectors import time_canary
from pprof_exporter.scrape.target.collector import ProfileCollector
from pprof_exporter.scrape.target.context import run_in_thread

# A trace of one second begins one second into the window, so that the profile encloses it.
_TRACE_SECONDS = 1.0
_TRACE_AFTER = 1.0


class CpuCollector(ProfileCollector):
    """A CPU profile between two readings of the CPU time, and an audit of the sampling clock when one is due."""

    concurrent = True

    async def run(self) -> None:
        """Fetch the profile and both readings, decode and check."""
        context, intake = self._context, self._context.intake
        async with context.slot(window=True, heavy=True):
            before = (await context.read_process()).cpu
            trace, reply = await self._fetch_with_probes()
            # One reading alone is useless, and a page that hangs would cost the timeout again.
            after = (await context.read_process()).cpu if before is not None else None
        used = use_between(before, after, self.window)
        intake.cpu_use(used)
        await self._take_in(reply, used)
        if trace is not None:
            intake.audit(trace, used.seconds / self.window if used else None)

    def _audit_due(self) -> bool:
        when, clock = self._context.settings.audit, self._context.state.sampling_clock
        if when is AuditWhen.OFF or self.window < MIN_AUDIT_WINDOW:
            return False
        if clock.audit_due:
            return True
        return not isinstance(when, AuditWhen) and self._context.clock.now() - clock.requested_at >= when

    async def _fetch_with_probes(self) -> tuple[Trace | None, Reply]:
        """Fetch the profile, with a trace and a canary while it runs. If these fail, the profile is still used."""
        concurrent = asyncio.gather(self._trace() if self._audit_due() else _nothing(), self._time_canary())
        self._context.state.canary.cpu_profiles_running += 1
        try:
            reply = await self.fetch()
            trace, _ = await concurrent
        finally:
            self._context.state.canary.cpu_profiles_running -= 1
            concurrent.cancel()
            # Wait for both: asyncio warns about a gather that is never awaited.
            await asyncio.gather(concurrent, return_exceptions=True)
        return trace, reply

    async def _time_canary(self) -> None:
        await self._context.clock.sleep(self.window / 2)
        await time_canary(self._context)

    async def _trace(self) -> Trace | None:
        context = self._context
        await context.clock.sleep(_TRACE_AFTER)
        # Not earlier: if the profile is refused at once, the audit is left to the next one.
        context.state.sampling_clock.audit_due = False
        context.state.sampling_clock.requested_at = context.clock.now()
        try:
            reply = await context.get(TRACE, query={"seconds": f"{_TRACE_SECONDS:g}"}, window=_TRACE_SECONDS)
            reading = await run_in_thread(lambda: read_trace_body(reply.body), len(reply.body))
        except (FetchError, DecodeError) as error:
            context.intake.trace_failed(error)
            return None
        context.intake.trace(reading)
        if reading.trace is not None:
            context.hold_raw(TRACE, reply)
        return reading.trace


async def _nothing() -> None:
    """Replace a trace that is not due."""
