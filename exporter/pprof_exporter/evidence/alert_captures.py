"""Captures that alerts request: every profile of the target, once, at a limited rate."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from functools import partial

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.evidence.all_profiles import fetch_all_profiles
from pprof_exporter.evidence.capture_request import CaptureRequest
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.saving import FindingSummary, count_internal, finding_record, log_saved, save_finding
from pprof_exporter.evidence_store import DropReason, EvidenceStore, Origin, ProfileRole
from pprof_exporter.scrape import Pool

_CONCURRENCY = 4
_MAX_QUEUE = 64
# After internal errors. Later the profiles would no longer show what the alert was about.
_TRIES = 3


class CaptureAnswer(StrEnum):
    """The answer to a capture request; the value completes a sentence about the target."""

    BEGUN = "is being captured"
    UNKNOWN = "is not a target of this exporter"
    LATELY = "was captured recently"
    BUSY = "is not captured: too many captures are waiting"


class AlertCaptures:
    """Runs captures in the background. Use inside a running event loop; `close` ends the running captures."""

    def __init__(self, pool: Pool, evidence_store: EvidenceStore, interval: float, pusher: Pusher | None) -> None:
        self._pool = pool
        self._store = evidence_store
        self._interval = interval
        self._pusher = pusher
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()
        found = [saved.finding for saved in evidence_store.findings(since=pool.clock.now() - interval)]
        self._last = {finding.target: finding.at for finding in reversed(found) if finding.origin is Origin.ALERT}

    def request(self, capture_request: CaptureRequest) -> CaptureAnswer:
        """Start a capture if the target is known and was not captured recently. Does not wait."""
        now = self._pool.clock.now()
        if self._pool.context(capture_request.target) is None:
            return CaptureAnswer.UNKNOWN
        self._last = {target: at for target, at in self._last.items() if now - at < self._interval}
        if capture_request.target in self._last:
            self._store.count_dropped(DropReason.INTERVAL)
            return CaptureAnswer.LATELY
        if len(self._tasks) >= _MAX_QUEUE:
            self._store.count_dropped(DropReason.BUSY)
            return CaptureAnswer.BUSY
        self._last[capture_request.target] = now
        task = self._pool.supervisor.start(
            BackgroundTask.CAPTURE,
            partial(self._capture, capture_request),
            endless=False,
            tries=_TRIES,
            on_failure=partial(count_internal, self._store),
            about=capture_request.target,
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return CaptureAnswer.BEGUN

    async def close(self) -> None:
        """End the running captures without saving them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _capture(self, capture_request: CaptureRequest) -> None:
        async with self._slots:
            context = self._pool.context(capture_request.target)
            if context is None:
                return
            found, missing = await fetch_all_profiles(context)
        about = FindingSummary(
            Origin.ALERT, capture_request.mode, capture_request.level, capture_request.said, capture_request.alert
        )
        finding = finding_record(context.state, about, self._pool.clock.now(), missing)
        saved = await save_finding(self._store, self._pusher, finding, [(body, ProfileRole.SHOWS) for body in found])
        if saved is not None:
            log_saved(saved)
