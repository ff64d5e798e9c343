"""Reads the CPU time of a target from its metrics page, or from the operating system if it runs on this machine."""

from __future__ import annotations

import asyncio
import math

import psutil

from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError, read_page
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime
from pprof_exporter.scrape.target.local_process import LOCAL_PROCESSES

# Seconds until another attempt at a page without CPU time, or a process that was not found.
_RETRY_AFTER = 600.0
# A starting target refuses connections for a moment, and a busy one answers late. Only this many failures in a row mean
# that there is no page or process.
_MAX_FAILURES = 3


class CpuTimeSource:
    """Reads the CPU time of one target from the best available source."""

    def __init__(self, target: Target, settings: Settings, fetcher: Getter, clock: Clock) -> None:
        self._url = settings.metrics_page.of(target.url)
        self._family = settings.cpu_time_metric
        self._host, self._port = target.url.host or "", target.url.port or 0
        self._timeout = settings.timeout
        self._fetcher = fetcher
        self._clock = clock
        self._page = _Availability(clock)
        self._process = _Availability(clock)

    async def read(self) -> CpuTime | None:
        """The current CPU time, or None if no source has it.

        The operating system is used only without a page: the listening process may be a proxy in front of the program.
        """
        reading = await self._from_page()
        if reading is None and self._page.is_suspended():
            return await self._from_process()
        return reading

    def reset(self) -> None:
        """Try all sources again: the target was down, and may have another source now."""
        self._page.found()
        self._process.found()

    async def _from_page(self) -> CpuTime | None:
        if self._page.is_suspended():
            return None
        try:
            reply = await self._fetcher.get(self._url, timeout=self._timeout)
            page = read_page(reply.body.decode("utf-8", "replace"), cpu_family=self._family)
        except FetchError as error:
            if error.status is None or error.status >= 500:
                self._page.failed()
                return None
            page = None
        except DecodeError:
            page = None
        if page is None or page.cpu_seconds is None:
            self._page.missing()
            return None
        self._page.found()
        return CpuTime(
            page.cpu_seconds, self._clock.steady(), page.start_time, CpuSource.METRICS, page.gomaxprocs, page
        )

    async def _from_process(self) -> CpuTime | None:
        if self._process.is_suspended():
            return None
        found = await asyncio.to_thread(LOCAL_PROCESSES.find, self._host, self._port)
        if found is None:
            self._process.failed()
            return None
        self._process.found()
        return CpuTime(found.cpu_seconds, self._clock.steady(), found.started, CpuSource.PROCESS, psutil.cpu_count())


class _Availability:
    """Whether one source is used, or suspended for a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._suspended_until = -math.inf

    def is_suspended(self) -> bool:
        return self._clock.steady() < self._suspended_until

    def found(self) -> None:
        """The source has the CPU time, or may have it now."""
        self._failures = 0
        self._suspended_until = -math.inf

    def failed(self) -> None:
        """The source did not answer."""
        self._failures += 1
        if self._failures >= _MAX_FAILURES:
            self.missing()

    def missing(self) -> None:
        """The source does not exist, or lacks the CPU time."""
        self._failures = 0
        self._suspended_until = self._clock.steady() + _RETRY_AFTER
