"""Reads which process answers, and its CPU time: from the metrics page, and from the system if it runs here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import psutil

from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError, TargetMetrics, read_page
from pprof_exporter.profile.memstats import HeapFigures, read_page_figures
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime
from pprof_exporter.scrape.target.local_address import may_be_this_machine
from pprof_exporter.scrape.target.local_process import LOCAL_PROCESSES, LocalProcess

# Seconds until another attempt at a page without CPU time, or a process that was not found.
_RETRY_AFTER = 600.0
# A starting target refuses connections for a moment, and a busy one answers late. Only this many failures in a row mean
# that there is no page or process.
_MAX_FAILURES = 3
# A page without any family of a process.
_NOTHING = TargetMetrics(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """What is known of the process that answers. `cpu` is None if no source has the CPU time."""

    page: TargetMetrics | None = None
    """Its metrics page."""
    figures: HeapFigures | None = None
    """Those of its heap on that page."""
    process: LocalProcess | None = None
    """The process that listens on the port, if that is of this machine; it may be a proxy."""
    cpu: CpuTime | None = None


class ProcessSource:
    """Reads start, Go version and CPU time of the process behind one target."""

    def __init__(self, target: Target, settings: Settings, fetcher: Getter, clock: Clock) -> None:
        self._url = settings.metrics_page.of(target.url)
        self._family = settings.cpu_time_metric
        self._host, self._port = target.url.host or "", target.url.port or 0
        self._timeout = settings.timeout
        self._fetcher = fetcher
        self._clock = clock
        self._page = _Availability(clock)
        self._process = _Availability(clock)
        self.read_at = -math.inf
        """When the sources were last read (steady time)."""
        self._perhaps_here = may_be_this_machine(self._host)
        self._changed = False
        """Whether the target came up or has a new process since the owner of its port was last looked up."""

    async def read(self, *, page: bool = True) -> ProcessReading:
        """What all sources know now, or without the page what costs the target nothing.

        The CPU time is that of the operating system only without one on a page: the listening process may be a proxy
        in front of the program.
        """
        if not page:
            return ProcessReading(process=await self._read_process())
        self.read_at = self._clock.steady()
        found, figures = await self._read_page()
        # The CPU time is that of now, and looking up the process can list every socket of the machine.
        at = self._clock.steady()
        process = await self._read_process()
        if found is not None and found.cpu_seconds is not None:
            cpu = CpuTime(found.cpu_seconds, at, found.start_time, CpuSource.METRICS, found.gomaxprocs)
            return ProcessReading(found, figures, process, cpu)
        if process is None or (found is None and not self._page.is_suspended()):
            return ProcessReading(found, figures, process)
        return ProcessReading(found, figures, process, self._cpu_of(process))

    async def read_cpu_of_process(self) -> CpuTime | None:
        """The CPU time by the operating system alone, which costs the target nothing."""
        process = await self._read_process()
        return None if process is None else self._cpu_of(process)

    def _cpu_of(self, process: LocalProcess) -> CpuTime:
        at, processors = self._clock.steady(), psutil.cpu_count()
        return CpuTime(process.cpu_seconds, at, process.started, CpuSource.PROCESS, processors)

    def reset(self) -> None:
        """Try all sources again: the target was down or has a new process, and may have another source now."""
        self.read_at = -math.inf
        self._page.found()
        self._process.found()
        self._changed = True

    async def _read_page(self) -> tuple[TargetMetrics | None, HeapFigures | None]:
        if self._page.is_suspended():
            return None, None
        body = b""
        try:
            reply = await self._fetcher.get(self._url, timeout=self._timeout)
            body = reply.body
            page = read_page(body, cpu_family=self._family)
        except ExporterExhausted:
            return None, None
        except FetchError as error:
            if error.status is None or error.status >= 500:
                self._page.failed()
                return None, None
            page = None
        except DecodeError:
            page = None
        if page is None or page == _NOTHING:
            self._page.missing()
            return None, None
        self._page.found()
        return page, read_page_figures(body)

    async def _read_process(self) -> LocalProcess | None:
        if not self._perhaps_here or self._process.is_suspended():
            return None
        fresh, self._changed = self._changed, False
        found = await LOCAL_PROCESSES.find(self._host, self._port, fresh=fresh)
        if found is None:
            self._process.failed()
            return None
        self._process.found()
        return found


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
