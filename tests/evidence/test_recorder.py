"""When a finding turns bad, the profiles that show it are kept, and the last ones of before."""

from __future__ import annotations

import gzip
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.config import EvidenceSettings
from pprof_exporter.evidence.policy import EVIDENCE_POLICIES, RETAINED_KINDS
from pprof_exporter.evidence.recorder import EvidenceRecorder
from pprof_exporter.evidence.service import EvidenceService
from pprof_exporter.evidence_store import DropReason, EvidenceProblem, EvidenceStore, Origin, ProfileRole
from pprof_exporter.profile import decode
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.verdicts import Level, snapshot_of, verdicts
from tests.conftest import RECORDINGS
from tests.proto import profile_pb2
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of, times

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Scene:
    """An exporter that keeps evidence of shop:1."""

    clock: FakeClock
    fetcher: FakeFetcher
    pool: Pool
    evidence_store: EvidenceStore

    def modes(self) -> list[str]:
        """Failure modes that were kept, the newest first."""
        return [kept.finding.mode for kept in self.evidence_store.findings()]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    fetcher.stamps = True
    fetcher.bodies["profile"] = WHOLE
    evidence_service = await EvidenceService.open(tmp_path / "evidence", EvidenceSettings(interval=HOUR), clock)
    pool = pool_of(clock, fetcher, "shop:1", raw_profiles=evidence_service.raw_profiles)
    evidence_service.start(pool, pool._random)
    yield Scene(clock, fetcher, pool, evidence_service.evidence_store)
    await evidence_service.close()
    await pool.close(0)


SHORT = (RECORDINGS / "linux-go1.27.3" / "cpu_burn2.pb.gz").read_bytes()


def _whole(body: bytes) -> bytes:
    """The same CPU profile, over the five seconds that the exporter requests."""
    message = profile_pb2.Profile.FromString(gzip.decompress(body))
    message.duration_nanos = 5 * 10**9
    return gzip.compress(message.SerializeToString(), 1)


WHOLE = _whole(SHORT)


async def cut(scene: Scene, seconds: float = 240) -> None:
    """The server cuts CPU profiles for some time."""
    scene.fetcher.bodies["profile"] = SHORT
    await scene.clock.advance(seconds)
    scene.fetcher.bodies["profile"] = WHOLE


def test_every_failure_mode_with_profiles_of_its_own_has_them_named() -> None:
    assert set(EVIDENCE_POLICIES) == {mode.id for mode in FAILURE_MODES} - {"F14", "F15", "F19"}
    assert "cpu" in RETAINED_KINDS


async def test_a_finding_is_shown_by_the_profile_of_now_and_one_of_before(scene: Scene) -> None:
    await scene.clock.advance(40)
    await cut(scene)

    (kept,) = [one for one in scene.evidence_store.findings() if one.finding.mode == "F4"]

    finding = kept.finding
    assert (finding.target, finding.level, finding.alert) == ("shop:1", Level.WARNING, "PprofWindowWrong")
    assert "shorter than requested" in finding.said
    assert finding.runbook == "/runbooks/PprofWindowWrong?target=shop:1"
    assert finding.process.go == "1.27.3"
    shown = {(file.kind, file.role): file for file in finding.files}
    now, before = shown["cpu", ProfileRole.SHOWS], shown["cpu", ProfileRole.BEFORE]
    assert before.asked_at < now.asked_at <= finding.at
    counts = []
    for file in (before, now):
        data = scene.evidence_store.read(kept, file)
        assert data is not None
        counts.append(decode(data).duration_nanos)
    assert counts[1] < counts[0]


async def test_a_note_leaves_no_evidence(scene: Scene) -> None:
    for factor in range(1, 9):
        scene.fetcher.bodies["goroutine"] = times((scene.fetcher.folder / "goroutine.pb.gz").read_bytes(), 10 * factor)
        await scene.clock.advance(30)

    found = verdicts(snapshot_of(scene.pool.states[0], scene.clock.now()))
    assert "PprofGoroutineGrowth" in {note.alert for verdict in found for note in verdict.notes}
    assert scene.modes() == []


async def test_what_goes_on_is_kept_once(scene: Scene) -> None:
    await scene.clock.advance(40)
    await cut(scene, 900)
    assert scene.modes().count("F4") == 1


async def test_what_comes_back_soon_is_not_kept_again(scene: Scene) -> None:
    await scene.clock.advance(40)
    for _ in range(2):
        await cut(scene)
        await scene.clock.advance(300)
    assert scene.modes().count("F4") == 1
    assert scene.evidence_store.dropped[DropReason.INTERVAL] >= 1


async def test_what_comes_back_later_is_kept_again(scene: Scene) -> None:
    await scene.clock.advance(40)
    for _ in range(2):
        await cut(scene)
        await scene.clock.advance(HOUR)
    assert scene.modes().count("F4") == 2


async def test_of_a_target_that_went_away_the_last_profiles_are_kept(scene: Scene) -> None:
    await scene.clock.advance(40)
    went = scene.clock.time
    scene.fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await scene.clock.advance(60)

    (kept,) = [one for one in scene.evidence_store.findings() if one.finding.mode == "F13"]

    assert kept.finding.level == Level.CRITICAL
    assert {file.kind for file in kept.finding.files} == {"cpu", "heap", "goroutine"}
    assert all(file.role is ProfileRole.BEFORE and file.asked_at <= went for file in kept.finding.files)


async def test_a_target_that_never_answered_leaves_nothing(scene: Scene) -> None:
    scene.fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await scene.clock.advance(60)
    assert scene.evidence_store.findings() == []
    assert scene.evidence_store.dropped == {DropReason.NO_PROFILE: 1}


async def test_an_upgrade_is_shown_by_profiles_of_both_sides(scene: Scene) -> None:
    scene.fetcher.folder = RECORDINGS / "windows-go1.24.11"
    scene.fetcher.bodies.clear()
    await scene.clock.advance(100)
    assert "F16" not in scene.modes()
    upgraded = scene.clock.time
    scene.fetcher.folder = RECORDINGS / "windows-go1.27.3"
    await scene.clock.advance(200)

    (kept,) = [one for one in scene.evidence_store.findings() if one.finding.mode == "F16"]

    roles = {(file.kind, file.role): file.asked_at for file in kept.finding.files}
    assert {kind for kind, role in roles if role is ProfileRole.SHOWS} == {"cpu", "heap", "goroutine"}
    assert all((at >= upgraded) == (role is ProfileRole.SHOWS) for (_, role), at in roles.items())
    assert (kept.finding.process.go, kept.finding.process.system) == ("1.27.3", "windows")


async def test_what_is_wrong_for_an_hour_is_how_the_target_is(scene: Scene) -> None:
    """Its profiles are the last good ones for what goes wrong later."""
    scene.fetcher.bodies["profile"] = SHORT
    await scene.clock.advance(HOUR / 2)
    assert scene.modes() == ["F4"]
    assert scene.pool._raw_profiles is not None
    slot = scene.pool._raw_profiles._slots["shop:1", "cpu"]
    assert slot.good is None
    await scene.clock.advance(HOUR / 2 + 300)
    assert slot.good is not None
    assert scene.modes() == ["F4"]


async def test_a_new_exporter_knows_what_the_old_one_kept(scene: Scene, tmp_path: Path) -> None:
    await scene.clock.advance(40)
    await cut(scene)
    bodies = RawProfiles(10**6, RETAINED_KINDS)
    again = EvidenceRecorder(scene.pool, scene.evidence_store, bodies, HOUR, None)
    await again.assess(scene.pool.states[0])
    assert scene.modes().count("F4") == 1
    assert scene.evidence_store.dropped[DropReason.INTERVAL] >= 1


async def test_a_disk_that_cannot_be_written_costs_the_evidence_and_nothing_else(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "evidence").write_text("in the way")
    evidence_service = await EvidenceService.open(tmp_path / "evidence", EvidenceSettings(), clock)
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, "shop:1", raw_profiles=evidence_service.raw_profiles)
    evidence_service.start(pool, pool._random)
    await clock.advance(40)
    fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await clock.advance(60)
    await evidence_service.close()
    await pool.close(0)
    assert evidence_service.evidence_store.troubles[EvidenceProblem.UNWRITABLE] > 0
    assert evidence_service.evidence_store.dropped[DropReason.TROUBLE] > 0
    assert evidence_service.evidence_store.saved == {}
    assert pool.internal_errors == 0


async def test_targets_that_are_gone_are_forgotten(scene: Scene) -> None:
    await scene.clock.advance(40)
    scene.pool.apply(scene.pool.settings)
    await scene.clock.advance(60)
    assert scene.pool._raw_profiles is not None
    assert scene.pool._raw_profiles.bytes == 0


async def test_a_target_that_keeps_changing_has_few_lines_about_its_evidence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pprof_exporter")
    clock = FakeClock()
    evidence_service = await EvidenceService.open(tmp_path / "evidence", EvidenceSettings(interval=60), clock)
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, "shop:1", raw_profiles=evidence_service.raw_profiles)
    evidence_service.start(pool, pool._random)
    for _ in range(24):
        await clock.advance(480)
        fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
        await clock.advance(120)
        del fetcher.faults["shop:1"]
    await evidence_service.close()
    await pool.close(0)
    lines = [vars(record)["fields"] for record in caplog.records if record.message == "evidence saved"]
    assert evidence_service.evidence_store.saved[Origin.FINDING] >= 24
    assert 4 <= len(lines) <= 4 + 2 * 4
    assert lines[-1]["more"] > 1


async def test_what_is_too_old_goes_while_the_exporter_runs(tmp_path: Path) -> None:
    clock = FakeClock()
    evidence_service = await EvidenceService.open(tmp_path / "evidence", EvidenceSettings(max_age=300), clock)
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, "shop:1", raw_profiles=evidence_service.raw_profiles)
    evidence_service.start(pool, pool._random)
    await clock.advance(40)
    fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await clock.advance(60)
    assert evidence_service.evidence_store.saved[Origin.FINDING] >= 1
    await clock.advance(400)
    assert evidence_service.evidence_store.findings() == []
    assert evidence_service.evidence_store.disk_bytes == 0
    await evidence_service.close()
    await pool.close(0)


async def test_a_target_that_cannot_be_judged_for_an_error_of_ours_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    evidence_service = await EvidenceService.open(tmp_path / "evidence", EvidenceSettings(), clock)
    pool = pool_of(clock, FakeFetcher(clock), "a:1", "b:1", raw_profiles=evidence_service.raw_profiles)
    judged: list[str] = []

    async def assess(_self: EvidenceRecorder, state: TargetState) -> None:
        judged.append(state.target.name)
        if state.target.name == "a:1":
            raise ZeroDivisionError

    monkeypatch.setattr(EvidenceRecorder, "assess", assess)
    evidence_service.start(pool, pool._random)
    await clock.advance(100)
    assert judged.count("b:1") > 3
    assert pool.internal_errors == judged.count("a:1")
    assert evidence_service.evidence_store.troubles[EvidenceProblem.INTERNAL] == judged.count("a:1")
    await evidence_service.close()
    await pool.close(0)
