"""Records rounds of targets on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pprof_exporter.capture.format import RecordedCpuUse, RecordedRound, TargetEntry
from pprof_exporter.capture.recording_client import RecordingClient
from pprof_exporter.capture.writer import CaptureWriter
from pprof_exporter.catalog import sampling
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.descriptors import descriptor_limit
from pprof_exporter.scrape import Fetcher, TargetState
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.round import OnRound, Round, RoundPlan
from pprof_exporter.store import Store


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """Result of one target: rounds on disk, and why the latest round failed, "" if it did not."""

    entry: TargetEntry
    rounds: int
    problem: str


@dataclass(frozen=True, slots=True)
class CaptureRecorder:
    """Records rounds of targets into one capture."""

    writer: CaptureWriter
    settings: Settings
    plan: RoundPlan
    clock: Clock
    on_round: OnRound

    async def capture(self, entries: Mapping[Target, TargetEntry]) -> list[CaptureResult]:
        """Record the missing rounds of all targets concurrently. Raises `CaptureError`.

        A round that is cancelled is not written.
        """
        limiter = FetchLimiter(self.settings.limits, descriptor_limit())
        fetcher = Fetcher(self.clock, max_bytes=self.settings.limits.wire_bytes)
        for target in entries:
            fetcher.expect(target.url)
        tasks = [asyncio.create_task(self._one(entry, target, fetcher, limiter)) for target, entry in entries.items()]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            # If one target cannot be written, the others cannot either.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, entry: TargetEntry, target: Target, fetcher: Fetcher, limiter: FetchLimiter) -> CaptureResult:
        problem, clock = "", self.clock
        own = self.settings.overridden(target.overrides)
        recording_client = RecordingClient(fetcher.bind(target.client, target.params), target, own, clock)
        store = Store.open(None, clock.now())
        round_ = Round(target, self.settings, getter=recording_client, clock=clock, limiter=limiter, store=store)
        recording_client.follow(round_)
        async for number in self.plan.paced(clock, self.writer.finished_rounds(entry)):
            recording_client.start_round()
            at = clock.now()
            await round_.run()
            whole = recorded_round(number, at, round_.state, recording_client)
            await asyncio.to_thread(self.writer.write, entry, whole, recording_client.bodies)
            self.on_round(target, number)
            problem = round_.problem
        return CaptureResult(entry, self.writer.finished_rounds(entry), problem)


def recorded_round(number: int, at: float, state: TargetState, recording_client: RecordingClient) -> RecordedRound:
    """The latest round of a target in the format of the capture."""
    return RecordedRound(
        round=number,
        at=at,
        fetches=tuple(recording_client.fetches.values()),
        canary=tuple(recording_client.canary),
        cpu=_cpu(state, at),
        fingerprint=state.identity.fingerprint,
        go_version=state.identity.go_version,
        system=state.identity.system,
    )


def _cpu(state: TargetState, since: float) -> RecordedCpuUse | None:
    """The CPU time used within the CPU profile of this round."""
    cpu = state.profiles.get("cpu")
    if cpu is None or cpu.latest is None or cpu.latest.at < since:
        return None
    for reading in cpu.latest.readings:
        if reading.family is sampling.CPU_USED and reading.value is not None:
            return RecordedCpuUse(reading.value, dict(reading.labels)["source"])
    return None
