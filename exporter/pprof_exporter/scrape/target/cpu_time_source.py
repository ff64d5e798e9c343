"""Reads the CPU time that a target used: from its own metrics page, or from the operating system on this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket

import psutil

from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError, read_page
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime
from pprof_exporter.scrape.target.listeners import Listeners

# After this many seconds a page that does not tell, or a process that was not found, is looked for again.
_LOOK_AGAIN = 600.0
# A target that starts refuses connections for a moment, and a busy one answers late: so many times in a row that is
# taken for a moment, and not for the lack of a page or process.
_SILENCES = 3

# There is one machine, whatever the number of targets.
_listeners = Listeners()


class CpuTimeSource:
    """Reads the CPU time of one target from the best source there is."""

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
        """The CPU time of now, or None where nobody tells.

        The system is asked only where there is no page: what listens here may be a proxy in front of the program.
        """
        told = await self._from_page()
        if told is None and self._page.is_left_alone():
            return await self._from_process()
        return told

    def look_again(self) -> None:
        """The target came up: what it had before says nothing about what it has now."""
        self._page.found()
        self._process.found()

    async def _from_page(self) -> CpuTime | None:
        if self._page.is_left_alone():
            return None
        try:
            reply = await self._fetcher.get(self._url, timeout=self._timeout)
            page = read_page(reply.body.decode("utf-8", "replace"), cpu_family=self._family)
        except FetchError as error:
            if error.status is None or error.status >= 500:
                self._page.silent()
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
        if self._process.is_left_alone():
            return None
        told = await asyncio.to_thread(_process_time, self._host, self._port)
        if told is None:
            self._process.silent()
            return None
        self._process.found()
        seconds, started = told
        return CpuTime(seconds, self._clock.steady(), started, CpuSource.PROCESS, psutil.cpu_count())


class _Availability:
    """Whether it is worth the while to ask one source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._silences = 0
        self._left_alone_until = -math.inf

    def is_left_alone(self) -> bool:
        return self._clock.steady() < self._left_alone_until

    def found(self) -> None:
        """It told, or may tell now."""
        self._silences = 0
        self._left_alone_until = -math.inf

    def silent(self) -> None:
        """It did not answer."""
        self._silences += 1
        if self._silences >= _SILENCES:
            self.missing()

    def missing(self) -> None:
        """It is not there, or does not know."""
        self._silences = 0
        self._left_alone_until = self._clock.steady() + _LOOK_AGAIN


def _process_time(host: str, port: int) -> tuple[float, float] | None:
    """CPU seconds and start time of the process that listens on this port of this machine."""
    if not _is_here(host):
        return None
    try:
        owner = _listeners.owner(port)
        if owner is None:
            return None
        process = psutil.Process(owner)
        times = process.cpu_times()
        return times.user + times.system, process.create_time()
    except (psutil.Error, OSError):
        # On macOS, and for processes of other users, the system does not tell.
        return None


def _is_here(host: str) -> bool:
    """Whether an address or name is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mine = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries if _is_ip(entry.family)}
    return address.is_loopback or str(address) in mine


def _is_ip(family: int) -> bool:
    return family in (socket.AF_INET, socket.AF_INET6)
