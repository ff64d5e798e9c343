"""What is kept can be read again, keeps to its bound, and costs nothing but itself when the disk is bad."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pprof_exporter.evidence_store import (
    DropReason,
    EvidenceProblem,
    EvidenceRetention,
    EvidenceStore,
    Origin,
    ProfileRole,
    RawProfile,
)
from tests.evidence_store.saved import bodies, finding, on_disk

KIB = 1024
Open = Callable[..., EvidenceStore]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "evidence"


@pytest.fixture
def opened(root: Path) -> Iterator[Open]:
    """Opens a ring in the folder, as often as one likes; all are closed in the end."""
    rings: list[EvidenceStore] = []

    def begin(policy: EvidenceRetention | None = None, now: float = 1000.0) -> EvidenceStore:
        rings.append(EvidenceStore.open(root, policy or EvidenceRetention(), now))
        return rings[-1]

    yield begin
    for evidence_store in rings:
        evidence_store.close()


def test_what_was_kept_is_there_after_a_restart(opened: Open) -> None:
    evidence_store = opened()
    given_ = [
        (RawProfile("heap", 990.0, b"\x1f\x8bnow"), ProfileRole.SHOWS),
        (RawProfile("heap", 900.0, b"before"), ProfileRole.BEFORE),
    ]
    kept = evidence_store.add(finding(), given_, 1000.0)
    assert kept is not None
    evidence_store.close()

    again = opened()

    assert again.findings() == [kept]
    assert [file.name for file in kept.finding.files] == ["heap.pb.gz", "heap-before.pb"]
    assert [again.read(kept, file) for file in kept.finding.files] == [b"\x1f\x8bnow", b"before"]
    assert again.find(kept.id) == kept
    assert again.find("../etc") is None


def test_a_folder_says_everything_by_itself(root: Path, opened: Open) -> None:
    kept = opened().add(finding(), bodies(5), 1000.0)
    assert kept is not None

    manifest = json.loads((root / kept.id / "manifest.json").read_text())

    assert kept.id.startswith("19700101-001640-shop-6060-F5-")
    assert manifest["target"] == "shop:6060"
    assert (manifest["mode"], manifest["level"], manifest["alert"]) == ("F5", "warning", "PprofFetchSlow")
    (file,) = manifest["files"]
    assert (file["kind"], file["role"], file["asked_at"], file["size"]) == ("a", "shows", 990.0, 5)
    assert len(file["sha256"]) == 64


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_the_user_of_the_exporter_can_read_it(root: Path, opened: Open) -> None:
    kept = opened().add(finding(), bodies(5), 1000.0)
    assert kept is not None
    paths = [root, root / kept.id, *(root / kept.id).iterdir()]
    assert [path.stat().st_mode & 0o077 for path in paths] == [0] * len(paths)


def test_leftovers_of_a_program_that_was_killed_are_removed_at_the_next_start(root: Path, opened: Open) -> None:
    opened().close()
    (root / ".unfinished-x").mkdir()
    (root / ".unfinished-x" / "heap.pb.gz").write_bytes(b"half")
    opened().close()
    assert [path.name for path in root.iterdir()] == ["lock"]


def test_what_is_too_old_goes(opened: Open) -> None:
    evidence_store = opened(EvidenceRetention(max_age=100))
    old, young = (
        evidence_store.add(finding(at=1000.0), bodies(5), 1000.0),
        evidence_store.add(finding(at=1050.0), bodies(5), 1050.0),
    )
    evidence_store.expire(1100.0)
    assert evidence_store.findings() == [young, old]
    evidence_store.expire(1101.0)
    assert evidence_store.findings() == [young]


def test_a_bound_that_was_lowered_holds_from_the_next_start_on(root: Path, opened: Open) -> None:
    evidence_store = opened()
    for at in range(10):
        evidence_store.add(finding(at=1000.0 + at), bodies(20 * KIB), 1010.0)
    evidence_store.close()
    again = opened(EvidenceRetention(max_bytes=100 * KIB), 1010.0)
    assert on_disk(root) <= again.disk_bytes <= 100 * KIB
    assert [kept.finding.at for kept in again.findings()] == [1009.0, 1008.0, 1007.0]


def test_a_noisy_target_pushes_out_nobody_else(opened: Open) -> None:
    evidence_store = opened(EvidenceRetention(max_bytes=400 * KIB))
    quiet = [evidence_store.add(finding(target=f"quiet-{i}", at=1000.0), bodies(20 * KIB), 1000.0) for i in range(5)]
    for at in range(40):
        evidence_store.add(finding(target="noisy", mode=f"F{at % 20}", at=2000.0 + at), bodies(20 * KIB), 2000.0 + at)
    kept = evidence_store.findings()
    assert all(one in kept for one in quiet)
    noisy = [one.finding.at for one in kept if one.finding.target == "noisy"]
    assert noisy == [2039.0 - i for i in range(len(noisy))] != []


def test_what_is_larger_than_everything_may_be_is_not_kept(opened: Open) -> None:
    evidence_store = opened(EvidenceRetention(max_bytes=100 * KIB))
    small = evidence_store.add(finding(), bodies(10), 1000.0)
    assert evidence_store.add(finding(), bodies(200 * KIB), 1000.0) is None
    assert evidence_store.findings() == [small]
    assert evidence_store.dropped == {DropReason.TOO_LARGE: 1}


def test_a_finding_without_profiles_is_not_kept(opened: Open) -> None:
    evidence_store = opened()
    assert evidence_store.add(finding(), [], 1000.0) is None
    assert evidence_store.dropped == {DropReason.NO_PROFILE: 1}


def test_a_full_disk_is_counted_and_leaves_nothing_behind(
    root: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence_store = opened()
    synced: list[int] = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert evidence_store.add(finding(), bodies(5, 5), 1000.0) is None
    assert evidence_store.troubles == {EvidenceProblem.FULL: 1}
    assert evidence_store.dropped == {DropReason.TROUBLE: 1}
    assert "No space left" in evidence_store.last_trouble
    assert [path.name for path in root.iterdir()] == ["lock"]
    assert evidence_store.add(finding(), bodies(5), 1000.0) is not None
    assert evidence_store.saved == {Origin.FINDING: 1}


def test_a_folder_that_cannot_be_made_is_counted_and_tried_again(root: Path, opened: Open) -> None:
    root.parent.mkdir()
    root.write_text("in the way")
    evidence_store = opened()
    assert evidence_store.add(finding(), bodies(5), 1000.0) is None
    assert evidence_store.troubles == {EvidenceProblem.UNWRITABLE: 2}
    root.unlink()
    assert evidence_store.add(finding(), bodies(5), 1000.0) is not None


def test_a_folder_that_somebody_removed_is_begun_anew(root: Path, opened: Open) -> None:
    evidence_store = opened()
    kept = evidence_store.add(finding(), bodies(5), 1000.0)
    assert kept is not None
    root.rename(root.parent / "elsewhere")
    assert evidence_store.read(kept, kept.finding.files[0]) is None
    new = evidence_store.add(finding(), bodies(5), 1000.0)
    assert evidence_store.findings() == [new]


def test_two_exporters_do_not_share_a_folder(opened: Open) -> None:
    first = opened()
    second = opened()
    assert second.add(finding(), bodies(5), 1000.0) is None
    assert second.troubles == {EvidenceProblem.LOCKED: 2}
    first.close()
    assert second.add(finding(), bodies(5), 1000.0) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"name": "../../secret", "kind": "a", "asked_at": 1, "sha256": "", "size": 5, "role": "shows"}]},
        {"files": [{"name": "manifest.json", "kind": "a", "asked_at": 1, "sha256": "", "size": 5, "role": "shows"}]},
        {"files": [{"name": "b.pb", "kind": "b", "asked_at": 1, "sha256": "", "size": 5, "role": "shows"}]},
        {"target": 5},
        {"at": None},
    ],
)
def test_a_manifest_that_is_not_as_it_was_written_is_not_believed(
    root: Path, opened: Open, change: dict[str, Any]
) -> None:
    evidence_store = opened()
    kept = evidence_store.add(finding(), bodies(5), 1000.0)
    assert kept is not None
    evidence_store.close()
    manifest = root / kept.id / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))

    again = opened()

    assert again.findings() == []
    assert again.troubles == {EvidenceProblem.CORRUPT: 1}


def test_a_file_that_was_changed_is_not_given_out(root: Path, opened: Open) -> None:
    evidence_store = opened()
    kept = evidence_store.add(finding(), bodies(5), 1000.0)
    assert kept is not None
    (root / kept.id / "a.pb").write_bytes(b"other")
    assert evidence_store.read(kept, kept.finding.files[0]) is None
    assert evidence_store.troubles == {EvidenceProblem.CORRUPT: 1}


def test_what_else_lies_in_the_folder_is_let_be(root: Path, opened: Open) -> None:
    opened().close()
    (root / "mine").mkdir()
    (root / "mine" / "notes.txt").write_text("keep")
    (root / "file").write_text("keep")
    shutil.copytree(root / "mine", root / 'a "name"')
    (root / 'a "name"' / "manifest.json").write_text("{}")
    evidence_store = opened(EvidenceRetention(max_age=1), 9e9)
    assert evidence_store.findings() == []
    assert evidence_store.troubles == {}
    assert (root / "mine" / "notes.txt").exists()


STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.lists(st.integers(0, 30 * KIB), max_size=3), st.floats(0, 50)),
    max_size=20,
)


@settings(max_examples=40)
@given(steps=STEPS, max_bytes=st.integers(1, 120 * KIB), findings=st.integers(1, 8), max_age=st.floats(1, 400))
def test_the_bounds_hold_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, list[int], float]],
    max_bytes: int,
    findings: int,
    max_age: float,
) -> None:
    root, policy = tmp_path_factory.mktemp("evidence"), EvidenceRetention(max_bytes, max_age, findings)
    now = 0.0
    with closing(EvidenceStore.open(root, policy, now)) as evidence_store:
        for target, sizes, passed in steps:
            now += passed
            before = evidence_store.findings()
            new = evidence_store.add(replace(finding(target=target), at=now), bodies(*sizes), now)
            kept = evidence_store.findings()
            assert on_disk(root) <= evidence_store.disk_bytes <= max_bytes
            assert len(kept) <= findings
            assert (new in kept) == (new is not None)
            _check_fair(before, kept, now, max_age)
            assert all(evidence_store.read(one, file) is not None for one in kept for file in one.finding.files)
        evidence_store.expire(now)
        kept = evidence_store.findings()
        assert all(now - one.finding.at <= max_age for one in kept)
    with closing(EvidenceStore.open(root, policy, now)) as again:
        assert again.findings() == kept
        assert not again.troubles


def _check_fair(before: list[Any], after: list[Any], now: float, max_age: float) -> None:
    """Of each target the oldest go first; who lost something that was not too old held as much as anybody."""
    for target in {one.finding.target for one in before}:
        own = [one for one in before if one.finding.target == target and now - one.finding.at <= max_age]
        staying = [one for one in own if one in after]
        assert staying == own[: len(staying)]
