"""Connects the parts of evidence: raw profiles in memory, recorder, captures, and pusher."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from pprof_exporter.clock import Clock
from pprof_exporter.config import EvidenceSettings
from pprof_exporter.event_log import LOG
from pprof_exporter.evidence.alert_captures import AlertCaptures
from pprof_exporter.evidence.policy import RETAINED_KINDS
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.recorder import EvidenceRecorder
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from pprof_exporter.scrape import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles

_RESTART_AFTER = 30.0


class EvidenceService:
    """Use `EvidenceService.open`, pass `raw_profiles` to the pool, then call `start` with that pool."""

    def __init__(self, evidence_store: EvidenceStore, settings: EvidenceSettings) -> None:
        self.evidence_store = evidence_store
        self.raw_profiles = RawProfiles(settings.memory, RETAINED_KINDS)
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._captures: AlertCaptures | None = None

    @classmethod
    async def open(cls, folder: Path, settings: EvidenceSettings, clock: Clock) -> EvidenceService:
        """Read the saved findings. Problems with the folder are counted, and it is tried again later."""
        policy = EvidenceRetention(settings.max_bytes, settings.max_age)
        return cls(await asyncio.to_thread(EvidenceStore.open, folder, policy, clock.now()), settings)

    def start(self, pool: Pool, random: Random) -> AlertCaptures:
        """Start to watch the targets of a pool. Returns the captures for alerts."""
        settings, pusher = self._settings, None
        if settings.push is not None:
            pusher = Pusher(settings.push, self.evidence_store, pool.clock, random)
            self._tasks.append(_run_forever(pool, pusher.run))
        recorder = EvidenceRecorder(pool, self.evidence_store, self.raw_profiles, settings.interval, pusher)
        self._tasks.append(_run_forever(pool, recorder.run))
        self._captures = AlertCaptures(pool, self.evidence_store, settings.capture_interval, pusher)
        return self._captures

    async def close(self) -> None:
        """Stop everything. Saved findings stay on disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._captures is not None:
            await self._captures.close()
        await asyncio.to_thread(self.evidence_store.close)


def _run_forever(pool: Pool, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Run work until it is cancelled. After an internal error, which is logged and counted, restart it."""

    async def loop() -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - scraping goes on after any error
                pool.internal_errors += 1
                LOG.exception("internal error, please report it")
            await pool.clock.sleep(_RESTART_AFTER)

    return asyncio.create_task(loop())
