"""The CPU profile, with two references: the CPU time actually used, and the ticks of the sampling clock."""

from __future__ import annotations

import asyncio

from pprof_exporter.catalog.vocabulary import TRACE
from pprof_exporter.config import MIN_AUDIT_WINDOW, AuditWhen
from pprof_exporter.profile import DecodeError, Trace
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.intake import read_trace_body
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime, use_between
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
            before = await self._read_before()
            trace, after, reply = await self._fetch_with_probes(before)
            # One reading alone is useless, and a page that hangs would cost the timeout again.
            if after is None and before is not None:
                after = (await context.read_process()).cpu
        cost = context.state.reading_cost
        from_page = after is not None and after.source is CpuSource.METRICS
        # Read late if there was no room for the profile: it would count what the program did after the window.
        late = from_page and reply.held_back > 0
        used = None if late else use_between(before, after, self.window, (cost.seconds or 0) if from_page else 0)
        cost.used(used, self.window)
        intake.cpu_use(used)
        await self._take_in(reply, used)
        if trace is not None:
            intake.audit(trace, used.seconds / self.window if used else None)

    async def _read_before(self) -> CpuTime | None:
        """The CPU time before the profile; now and then read twice in a row, to learn what reading it costs."""
        context, cost = self._context, self._context.state.reading_cost
        first = (await context.read_process()).cpu
        if first is None or first.source is not CpuSource.METRICS or not cost.is_due():
            return first
        second = (await context.read_process()).cpu
        cost.record(first, second)
        return second

    def _audit_due(self) -> bool:
        when, clock = self._context.settings.audit, self._context.state.sampling_clock
        if when is AuditWhen.OFF or self.window < MIN_AUDIT_WINDOW:
            return False
        if clock.audit_due:
            return True
        return not isinstance(when, AuditWhen) and self._context.clock.now() - clock.requested_at >= when

    async def _fetch_with_probes(self, before: CpuTime | None) -> tuple[Trace | None, CpuTime | None, Reply]:
        """Fetch the profile, with a trace and a canary while it runs. If these fail, the profile is still used.

        The CPU time is that at the end of the window, where the system tells it; else None.
        """
        concurrent = asyncio.gather(
            self._trace() if self._audit_due() else _nothing(), self._read_at_end(before), self._time_canary()
        )
        self._context.state.canary.cpu_profiles_running += 1
        try:
            reply = await self.fetch()
            trace, after, _ = await concurrent
        finally:
            self._context.state.canary.cpu_profiles_running -= 1
            concurrent.cancel()
            # Wait for both: asyncio warns about a gather that is never awaited.
            await asyncio.gather(concurrent, return_exceptions=True)
        return trace, after, reply

    async def _read_at_end(self, before: CpuTime | None) -> CpuTime | None:
        """The CPU time as the sampling ends: the target then writes and compresses the profile, without samples."""
        if before is None or before.source is not CpuSource.PROCESS:
            return None
        await self._context.clock.sleep(self.window)
        return await self._context.process.read_cpu_of_process()

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
