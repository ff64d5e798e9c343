"""Limits the simultaneous fetches: overall, per host, and per process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from weakref import WeakValueDictionary

from pprof_exporter.config import Limits, Target
from pprof_exporter.descriptors import NO_LIMIT, DescriptorLimit
from pprof_exporter.event_log import LOG


class FetchLimiter:
    """Shared by all targets. A process runs one CPU profile at a time, even if several targets name it.

    Fetches with a window have slots of their own: they mostly wait, and would delay quick fetches for seconds.
    """

    def __init__(self, limits: Limits, descriptors: DescriptorLimit = NO_LIMIT) -> None:
        self.in_flight = 0
        self._descriptors = descriptors
        self.apply(limits)
        # Weak, here and below, so that removed targets leave nothing behind.
        self._processes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def apply(self, limits: Limits) -> None:
        """Apply new limits. Fetches in flight end under the old ones.

        There are no more slots than there are descriptors for: a fetch that waits is better than one that fails.
        """
        self.limit = int(min(limits.concurrency, self._descriptors.fetches))
        if self.limit < limits.concurrency:
            LOG.warning(
                "the limit of open files leaves room for fewer fetches than configured",
                limit=self._descriptors.most,
                fetches=self.limit,
                configured=limits.concurrency,
                advice="Raise the hard limit: LimitNOFILE under systemd, ulimit -Hn in a shell.",
            )
        limits = replace(limits, concurrency=self.limit)
        self._quick = _Lane(limits)
        self._windows = _Lane(limits)

    @contextlib.asynccontextmanager
    async def slot(self, target: Target, *, window: bool = False) -> AsyncIterator[None]:
        """Wait for a slot for one fetch of this target."""
        lane = self._windows if window else self._quick
        process = self._processes.setdefault(target.process, asyncio.Lock())
        async with process if window else contextlib.nullcontext(), lane.of_host(target.url.host or ""), lane.overall:
            self.in_flight += 1
            try:
                yield
            finally:
                self.in_flight -= 1

    def is_profiling(self, target: Target) -> bool:
        """Whether a CPU profile of the process of this target runs or waits."""
        process = self._processes.get(target.process)
        return process is not None and process.locked()


class _Lane:
    """Slots for fetches of about the same duration."""

    def __init__(self, limits: Limits) -> None:
        self._per_host = limits.concurrency_per_host
        self.overall = asyncio.Semaphore(limits.concurrency)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of_host(self, host: str) -> asyncio.Semaphore:
        """The slots of one host."""
        return self._hosts.setdefault(host, asyncio.Semaphore(self._per_host))
