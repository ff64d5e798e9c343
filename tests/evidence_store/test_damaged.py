"""A damaged finding is set aside and counted; nothing of it is shown, and the others are not touched."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pprof_exporter.evidence_store import EvidenceProblem, EvidenceRetention, EvidenceStore, SavedFinding, disk
from pprof_exporter.sealed_json import seal
from tests.evidence_store.saved import bodies, finding, on_disk

KIB = 1024


@contextmanager
def opened(root: Path, policy: EvidenceRetention | None = None) -> Iterator[EvidenceStore]:
    store = EvidenceStore.open(root, policy or EvidenceRetention(), 1000.0)
    yield store
    store.close()


def saved(root: Path) -> tuple[SavedFinding, SavedFinding]:
    """Two findings, of which the first will be damaged."""
    with opened(root) as store:
        made = [store.add(finding(target), bodies(5, 6), 1000.0) for target in ("damaged", "whole")]
    assert made[0] is not None
    assert made[1] is not None
    return made[0], made[1]


def manifest(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        file = folder / "manifest.json"
        file.write_bytes(change(file.read_bytes()))

    return run


def odd(**values: object) -> Callable[[Path], None]:
    """Change the manifest as an exporter would that writes something odd: with its digest."""

    def change(text: bytes) -> bytes:
        content = {**json.loads(text), **values}
        del content["sha256"]
        return seal(json.dumps(content).encode())

    return manifest(change)


def unsealed(text: bytes) -> bytes:
    content = json.loads(text)
    del content["sha256"]
    return json.dumps(content).encode()


def replaced_by_folder(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()


def replaced_by_file(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("a file")


def profile_emptied(folder: Path) -> None:
    (folder / "a.pb").write_bytes(b"")


def profile_by_folder(folder: Path) -> None:
    (folder / "a.pb").unlink()
    (folder / "a.pb").mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a figure": manifest(lambda text: text.replace(b"took 3 s", b"took 8 s")),
    "a time": manifest(lambda text: text.replace(b'"at": 1000.0', b'"at": 1001.0')),
    "a label": manifest(lambda text: text.replace(b'"shop"', b'"shoq"')),
    "the digest of a profile": manifest(lambda text: text.replace(b'"size": 5', b'"size": 6')),
    "no digest": manifest(unsealed),
    "no UTF-8": manifest(lambda text: text.replace(b"heap", b"h\xffap")),
    "cut": manifest(lambda text: text[:-20]),
    "empty": manifest(lambda _: b""),
    "zeros": manifest(lambda text: bytes(len(text))),
    "huge": manifest(lambda text: text + b" " * disk.MAX_MANIFEST_BYTES),
    "too deep": manifest(lambda _: b"[" * 200_000),
    "no number": odd(at=float("nan")),
    "a time after all calendars": odd(at=1e300),
    "a newer version": odd(version=99),
    "no files": odd(files=[]),
    "removed": lambda folder: (folder / "manifest.json").unlink(),
    "a folder in place of the manifest": replaced_by_folder,
    "a file in place of the finding": replaced_by_file,
    "a profile cut": profile_emptied,
    "a profile removed": lambda folder: (folder / "a.pb").unlink(),
    "a folder in place of a profile": profile_by_folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_finding_is_set_aside_and_counted_once(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damaged, whole = saved(tmp_path)
    damage(tmp_path / damaged.id)
    for counted in (1, 0):
        with opened(tmp_path) as store:
            assert store.findings() == [whole]
            assert store.troubles.total() == counted
            assert all(store.read(whole, file) is not None for file in whole.finding.files)
            if counted:
                assert store.troubles == {EvidenceProblem.CORRUPT: 1}
                assert f"moved to .corrupt-{damaged.id}" in store.last_trouble
    assert (tmp_path / f".corrupt-{damaged.id}").exists()


def test_a_manifest_of_version_1_has_no_digest_and_is_read(tmp_path: Path) -> None:
    old, _ = saved(tmp_path)
    manifest(lambda text: unsealed(text).replace(b'"version": 2', b'"version": 1'))(tmp_path / old.id)
    with opened(tmp_path) as store:
        assert len(store.findings()) == 2
        assert store.troubles == {}


def test_few_damaged_findings_are_kept(tmp_path: Path) -> None:
    for _ in range(6):
        damaged, _ = saved(tmp_path)
        DAMAGES["cut"](tmp_path / damaged.id)
        with opened(tmp_path):
            pass
    assert len(list(tmp_path.glob(".corrupt-*"))) == 3


def test_damaged_findings_make_room_before_any_other(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        damaged = store.add(finding("damaged"), bodies(60 * KIB), 1000.0)
        store.add(finding("whole"), bodies(60 * KIB), 1000.0)
    assert damaged is not None
    DAMAGES["cut"](tmp_path / damaged.id)
    policy = EvidenceRetention(max_bytes=200 * KIB)
    with opened(tmp_path, policy) as store:
        assert list(tmp_path.glob(".corrupt-*"))
        new = store.add(finding("new"), bodies(60 * KIB), 1001.0)
        assert new is not None
        assert not list(tmp_path.glob(".corrupt-*"))
        assert {one.target for one in store.findings()} == {"whole", "new"}
        assert on_disk(tmp_path) <= policy.max_bytes


def test_a_damaged_finding_that_cannot_be_removed_keeps_no_other_from_being_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, _ = saved(tmp_path)
    DAMAGES["cut"](tmp_path / damaged.id)

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(disk, "remove_aside", refuse)
    with opened(tmp_path, EvidenceRetention(max_bytes=40 * KIB)) as store:
        assert store.add(finding("new"), bodies(5), 1001.0) is not None
        assert store.troubles == {EvidenceProblem.CORRUPT: 1, EvidenceProblem.UNWRITABLE: 1}


def test_a_damaged_profile_is_counted_once(tmp_path: Path) -> None:
    damaged, _ = saved(tmp_path)
    (tmp_path / damaged.id / "a.pb").write_bytes(b"other")
    with opened(tmp_path) as store:
        for _ in range(3):
            assert store.read(damaged, damaged.finding.files[0]) is None
        assert store.read(damaged, damaged.finding.files[1]) is not None
        assert store.troubles == {EvidenceProblem.CORRUPT: 1}


def test_a_profile_that_is_removed_while_its_finding_is_there_is_counted(tmp_path: Path) -> None:
    damaged, whole = saved(tmp_path)
    with opened(tmp_path) as store:
        (tmp_path / damaged.id / "a.pb").unlink()
        assert store.read(damaged, damaged.finding.files[0]) is None
        assert store.troubles == {EvidenceProblem.CORRUPT: 1}
        assert store.read(whole, whole.finding.files[0]) is not None


def test_leftovers_that_cannot_be_removed_do_not_end_evidence(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / ".unfinished-x").write_text("a file")
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").mkdir()
    with opened(tmp_path) as store:
        assert len(store.findings()) == 2
        assert store.add(finding(), bodies(5), 1000.0) is not None
        assert store.troubles == {}
    assert {path.name for path in tmp_path.glob(".*")} == {".corrupt-lock"}


def test_a_finding_that_cannot_be_set_aside_is_not_shown_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, whole = saved(tmp_path)
    DAMAGES["cut"](tmp_path / damaged.id)

    def refuse(*_: object) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(disk, "set_aside", refuse)
    with opened(tmp_path) as store:
        assert store.findings() == [whole]
        assert store.troubles == {EvidenceProblem.UNWRITABLE: 1}
        assert store.add(finding(), bodies(5), 1000.0) is not None


@pytest.mark.parametrize(("code", "kept"), [(errno.EACCES, 1), (errno.EIO, 1), (errno.EMFILE, 2)])
def test_a_lack_of_descriptors_is_no_damage_and_a_file_that_cannot_be_read_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kept: int
) -> None:
    damaged, _ = saved(tmp_path)
    opening = Path.open

    def fail(path: Path, *args: object, **more: object) -> object:
        if path == tmp_path / damaged.id / "manifest.json":
            raise OSError(code, os.strerror(code))
        return opening(path, *args, **more)  # type: ignore[call-overload]  # whatever it was called with

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", fail)
        with opened(tmp_path) as store:
            assert store.troubles.total() == 1
    with opened(tmp_path) as store:
        assert len(store.findings()) == kept
