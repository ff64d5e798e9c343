"""Captures that alerts ask for: every profile of the target, once, and not too often."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import structlog

from pprof_exporter.evidence import Drop, Origin, Ring, Role
from pprof_exporter.scrape import Pool
from pprof_exporter.workbench.push import Pusher
from pprof_exporter.workbench.record import About, finding_of, keep
from pprof_exporter.workbench.snapshot import snapshot
from pprof_exporter.workbench.summons import Summons

_AT_ONCE = 4
_WAITING = 64


class Answer(StrEnum):
    """What becomes of a summons; the value completes a sentence about the target."""

    BEGUN = "is captured now"
    UNKNOWN = "is no target of this exporter"
    LATELY = "was captured a short while ago"
    BUSY = "has to do without: too many captures wait already"


class Captures:
    """`ask` never waits. Use inside a running event loop; `close` ends what is under way."""

    def __init__(self, pool: Pool, ring: Ring, interval: float, pusher: Pusher | None) -> None:
        self._pool = pool
        self._ring = ring
        self._interval = interval
        self._pusher = pusher
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        found = [kept.finding for kept in reversed(ring.kept()) if kept.finding.origin is Origin.ALERT]
        self._last = {finding.target: finding.at for finding in found}

    def ask(self, summons: Summons) -> Answer:
        """Begin a capture, unless something speaks against it."""
        now = self._pool.clock.now()
        if self._pool.tools(summons.target) is None:
            return Answer.UNKNOWN
        self._last = {target: at for target, at in self._last.items() if now - at < self._interval}
        if summons.target in self._last:
            self._ring.drop(Drop.INTERVAL)
            return Answer.LATELY
        if len(self._tasks) >= _WAITING:
            self._ring.drop(Drop.BUSY)
            return Answer.BUSY
        self._last[summons.target] = now
        task = asyncio.create_task(self._capture(summons), name=f"capture {summons.target}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return Answer.BEGUN

    async def close(self) -> None:
        """End captures that are under way, and keep none of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _capture(self, summons: Summons) -> None:
        async with self._places:
            tools = self._pool.tools(summons.target)
            if tools is None:
                return
            found, missing = await snapshot(tools)
        about = About(Origin.ALERT, summons.mode, summons.level, summons.said, summons.alert)
        finding = finding_of(tools.state, about, self._pool.clock.now(), missing)
        await keep(self._ring, self._pusher, finding, [(body, Role.SHOWS) for body in found])

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._pool.internal_errors += 1
            structlog.get_logger().error("internal error, please report it", exc_info=error)
