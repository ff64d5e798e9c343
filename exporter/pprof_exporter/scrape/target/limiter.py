"""How many fetches may run at once, overall, per host, and of one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from pprof_exporter.config import Limits, Target


class FetchLimiter:
    """Shared by all targets. A process runs one CPU profile at a time, whatever the number of targets that name it.

    Windows have places of their own: they are mostly waiting, and would keep quick fetches waiting for seconds.
    """

    def __init__(self, limits: Limits) -> None:
        self.in_flight = 0
        self.use(limits)
        # Weak, here and below, so that targets which come and go leave nothing behind.
        self._processes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def use(self, limits: Limits) -> None:
        """Go by these limits from now on; what is under way ends under those it began with."""
        self.limit = limits.concurrency
        self._quick = _Lane(limits)
        self._windows = _Lane(limits)

    @contextlib.asynccontextmanager
    async def slot(self, target: Target, *, window: bool = False) -> AsyncIterator[None]:
        """Wait for a place for one fetch of this target."""
        lane = self._windows if window else self._quick
        process = self._processes.setdefault(target.process, asyncio.Lock())
        async with process if window else contextlib.nullcontext(), lane.place(target.url.host or ""):
            self.in_flight += 1
            try:
                yield
            finally:
                self.in_flight -= 1

    def profiles(self, target: Target) -> bool:
        """Whether a CPU profile of the process of this target runs now, or is waited for."""
        process = self._processes.get(target.process)
        return process is not None and process.locked()


class _Lane:
    """Places for fetches that take about the same time."""

    def __init__(self, limits: Limits) -> None:
        self._per_host = limits.concurrency_per_host
        self._overall = asyncio.Semaphore(limits.concurrency)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        mine = self._hosts.setdefault(host, asyncio.Semaphore(self._per_host))
        async with mine, self._overall:
            yield
