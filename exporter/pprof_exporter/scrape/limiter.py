"""How many fetches may run at once, overall, per host, and of one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

from pprof_exporter.config import Limits, Target


class Limiter:
    """Shared by all targets. A process runs one CPU profile at a time, whatever the number of targets that name it."""

    def __init__(self, limits: Limits) -> None:
        self.limit = limits.concurrency
        self.in_flight = 0
        self._overall = asyncio.Semaphore(limits.concurrency)
        self._per_host = limits.concurrency_per_host
        # Weak, so that targets which come and go leave nothing behind.
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._windows: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def slot(self, target: Target, *, window: bool = False) -> AsyncIterator[None]:
        """Wait for a place for one fetch of this target."""
        host = self._hosts.setdefault(target.url.host or "", asyncio.Semaphore(self._per_host))
        process = self._windows.setdefault(target.process, asyncio.Lock())
        async with contextlib.AsyncExitStack() as places:
            if window:
                await places.enter_async_context(process)
            await places.enter_async_context(host)
            await places.enter_async_context(self._overall)
            self.in_flight += 1
            try:
                yield
            finally:
                self.in_flight -= 1
