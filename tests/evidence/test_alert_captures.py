"""An alert leaves every profile of its target, once, and not too often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.evidence.alert_captures import AlertCaptures, CaptureAnswer
from pprof_exporter.evidence.capture_request import CaptureRequest
from pprof_exporter.evidence_store import DropReason, EvidenceRetention, EvidenceStore, Origin, ProfileRole
from pprof_exporter.profile import decode
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of

EVERY = 600.0


@dataclass(frozen=True, slots=True)
class Scene:
    """An exporter with two targets, which has looked at them for a while."""

    clock: FakeClock
    fetcher: FakeFetcher
    pool: Pool
    evidence_store: EvidenceStore
    captures: AlertCaptures


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, "shop:1", "bank:1")
    await clock.advance(20)
    evidence_store = EvidenceStore.open(tmp_path / "evidence", EvidenceRetention(), clock.time)
    captures = AlertCaptures(pool, evidence_store, EVERY, None)
    yield Scene(clock, fetcher, pool, evidence_store, captures)
    await captures.close()
    await pool.close(0)
    evidence_store.close()


def of(target: str) -> CaptureRequest:
    return CaptureRequest(target, "PprofCpuCoverageLow", "F1", "critical", "CPU samples are missing")


async def test_every_profile_of_the_target_is_kept_within_fifteen_seconds(scene: Scene) -> None:
    assert scene.captures.request(of("shop:1")) is CaptureAnswer.BEGUN
    await scene.clock.advance(15)

    (kept,) = scene.evidence_store.findings()

    finding = kept.finding
    assert (finding.origin, finding.target, finding.mode, finding.level) == (Origin.ALERT, "shop:1", "F1", "critical")
    assert (finding.alert, finding.said) == ("PprofCpuCoverageLow", "CPU samples are missing")
    kinds = {"cpu", "heap", "goroutine", "goroutineleak", "block", "mutex", "threadcreate"}
    assert {file.kind for file in finding.files} == kinds
    assert {file.role for file in finding.files} == {ProfileRole.SHOWS}
    for file in finding.files:
        data = scene.evidence_store.read(kept, file)
        assert data is not None
        decode(data)


async def test_never_are_two_cpu_profiles_of_a_process_taken_at_once(scene: Scene) -> None:
    for _ in range(6):
        scene.captures.request(of("shop:1"))
        await scene.clock.advance(EVERY)
    assert scene.fetcher.most_running["profile"] <= 2  # one of each target
    assert len(scene.evidence_store.findings("shop:1")) == 6


async def test_a_target_is_captured_once_in_a_while(scene: Scene) -> None:
    assert scene.captures.request(of("shop:1")) is CaptureAnswer.BEGUN
    assert scene.captures.request(of("shop:1")) is CaptureAnswer.LATELY
    assert scene.captures.request(of("bank:1")) is CaptureAnswer.BEGUN
    await scene.clock.advance(EVERY - 1)
    assert scene.captures.request(of("shop:1")) is CaptureAnswer.LATELY
    await scene.clock.advance(1)
    assert scene.captures.request(of("shop:1")) is CaptureAnswer.BEGUN
    assert scene.evidence_store.dropped == {DropReason.INTERVAL: 2}


async def test_a_restart_does_not_begin_to_count_anew(scene: Scene) -> None:
    scene.captures.request(of("shop:1"))
    await scene.clock.advance(20)
    again = AlertCaptures(scene.pool, scene.evidence_store, EVERY, None)
    assert again.request(of("shop:1")) is CaptureAnswer.LATELY
    assert again.request(of("bank:1")) is CaptureAnswer.BEGUN
    await again.close()


async def test_only_targets_of_this_exporter_are_captured(scene: Scene) -> None:
    asked = scene.fetcher.asked.total()
    assert scene.captures.request(of("169.254.169.254:80")) is CaptureAnswer.UNKNOWN
    assert scene.fetcher.asked.total() == asked
    assert scene.evidence_store.dropped == {}


async def test_what_does_not_come_is_said_and_costs_nothing_else(scene: Scene) -> None:
    scene.fetcher.faults["shop:1/profile"] = failing(FetchError(Reason.BUSY, "cpu profiling already in use"))
    scene.fetcher.bodies["heap"] = b"<html>"
    scene.captures.request(of("shop:1"))
    await scene.clock.advance(15)
    (kept,) = scene.evidence_store.findings()
    assert kept.finding.missing["cpu"] == "busy: cpu profiling already in use"
    assert kept.finding.missing["heap"].startswith("html")
    assert {file.kind for file in kept.finding.files} >= {"goroutine", "threadcreate"}


async def test_a_target_that_does_not_answer_leaves_nothing(scene: Scene) -> None:
    scene.fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    scene.captures.request(of("shop:1"))
    await scene.clock.advance(15)
    assert scene.evidence_store.findings() == []
    assert scene.evidence_store.dropped == {DropReason.NO_PROFILE: 1}


async def test_a_storm_of_alerts_is_bounded(tmp_path: Path) -> None:
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, *(f"host-{i}:1" for i in range(80)))
    evidence_store = EvidenceStore.open(tmp_path / "evidence", EvidenceRetention(), clock.time)
    captures = AlertCaptures(pool, evidence_store, EVERY, None)
    answers = [captures.request(of(f"host-{i}:1")) for i in range(80)]
    assert (answers.count(CaptureAnswer.BEGUN), answers.count(CaptureAnswer.BUSY)) == (64, 16)
    assert evidence_store.dropped == {DropReason.BUSY: 16}
    await captures.close()
    await pool.close(0)
    evidence_store.close()
    assert evidence_store.findings() == []
