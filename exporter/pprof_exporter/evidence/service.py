"""Connects the parts of evidence: raw profiles in memory, recorder, captures, and pusher."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from random import Random

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.clock import Clock
from pprof_exporter.config import EvidenceSettings
from pprof_exporter.evidence.alert_captures import AlertCaptures
from pprof_exporter.evidence.policy import RETAINED_KINDS
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.recorder import EvidenceRecorder
from pprof_exporter.evidence.saving import count_internal
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from pprof_exporter.scrape import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles


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
            self._tasks.append(pool.supervisor.start(BackgroundTask.PUSH, pusher.run, on_failure=pusher.stopped))
        recorder = EvidenceRecorder(pool, self.evidence_store, self.raw_profiles, settings.interval, pusher)
        failed = partial(count_internal, self.evidence_store)
        self._tasks.append(pool.supervisor.start(BackgroundTask.EVIDENCE, recorder.run, on_failure=failed))
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
