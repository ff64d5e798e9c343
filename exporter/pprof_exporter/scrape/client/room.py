"""The room in memory for the body of one reply, within the bound of all of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pprof_exporter.scrape.client.body import ReplyBody
from pprof_exporter.scrape.client.bytes_in_flight import FREE_BYTES, Lease
from pprof_exporter.scrape.client.errors import NoRoom
from pprof_exporter.scrape.client.phases import Stopwatch


@dataclass(slots=True)
class Room:
    """The room for the body of one request. While there is none, its time stands still."""

    lease: Lease
    body: ReplyBody
    stopwatch: Stopwatch
    most: int
    deadline: asyncio.Timeout | None = None

    async def ready(self, more: int) -> None:
        """Wait until there is room for so many bytes more."""
        if self.body.keeps_excerpt or self.lease.grows(more):
            return
        before = self.lease.waited
        left = self._stop_time()
        found = await self.lease.wait()
        self.stopwatch.held_back += self.lease.waited - before
        if not found:
            raise NoRoom(self.most)
        if self.deadline is not None and left is not None:
            self.deadline.reschedule(asyncio.get_running_loop().time() + left)
        self.lease.grows(more)

    def _stop_time(self) -> float | None:
        """Have no deadline. Returns the seconds that were left."""
        ends = self.deadline.when() if self.deadline is not None else None
        if self.deadline is None or ends is None:
            return None
        self.deadline.reschedule(None)
        return ends - asyncio.get_running_loop().time()

    async def take(self) -> bytes:
        """The whole body. One that is encoded waits for room to inflate. Raises `FetchError`, `NoRoom` among them."""
        if not self.body.encoding or self.body.size <= FREE_BYTES:
            return await self.body.take()
        async with self.lease.inflating() as found:
            if not found:
                raise NoRoom(self.most)
            return await self.body.take()
