"""Everything that keeps evidence, wired together: what waits in memory, what watches, what captures, what pushes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import structlog

from pprof_exporter.clock import Clock
from pprof_exporter.config import EvidenceSettings
from pprof_exporter.evidence.alert_captures import AlertCaptures
from pprof_exporter.evidence.policy import RETAINED_KINDS
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.recorder import EvidenceRecorder
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from pprof_exporter.scrape import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles

_RESTART_AFTER = 30.0


class EvidenceService:
    """Use `EvidenceService.open`, hand `bodies` to the pool, and then `begin` with that pool."""

    def __init__(self, evidence_store: EvidenceStore, settings: EvidenceSettings) -> None:
        self.evidence_store = evidence_store
        self.bodies = RawProfiles(settings.memory, RETAINED_KINDS)
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._captures: AlertCaptures | None = None

    @classmethod
    async def open(cls, folder: Path, settings: EvidenceSettings, clock: Clock) -> EvidenceService:
        """Read what is in the folder; what is wrong with it is counted, and tried again later."""
        policy = EvidenceRetention(settings.max_bytes, settings.max_age)
        return cls(await asyncio.to_thread(EvidenceStore.open, folder, policy, clock.now()), settings)

    def begin(self, pool: Pool, random: Random) -> AlertCaptures:
        """Watch the targets of a pool; returns what captures them."""
        settings, pusher = self._settings, None
        if settings.push is not None:
            pusher = Pusher(settings.push, self.evidence_store, pool.clock, random)
            self._tasks.append(_kept_going(pool, pusher.run))
        recorder = EvidenceRecorder(pool, self.evidence_store, self.bodies, settings.interval, pusher)
        self._tasks.append(_kept_going(pool, recorder.run))
        self._captures = AlertCaptures(pool, self.evidence_store, settings.capture_interval, pusher)
        return self._captures

    async def close(self) -> None:
        """End all of it. What was kept stays on the disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._captures is not None:
            await self._captures.close()
        await asyncio.to_thread(self.evidence_store.close)


def _kept_going(pool: Pool, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Begin work that goes on until it is cancelled, and again if a fault of ours ends it: loudly."""

    async def go() -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - whatever it is, targets are watched all the same
                pool.internal_errors += 1
                structlog.get_logger().exception("internal error, please report it")
            await pool.clock.sleep(_RESTART_AFTER)

    return asyncio.create_task(go())
