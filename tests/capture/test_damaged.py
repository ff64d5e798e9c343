"""A capture that changed on disk is an error that names the file, never a figure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pprof_exporter.capture.format import CaptureError
from pprof_exporter.capture.reader import load_capture
from pprof_exporter.sealed_json import seal
from tests.capture.test_capture import SHOP, bodies, one_round, writer, written


def in_file(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def run(root: Path) -> None:
        file = root / name
        file.write_bytes(change(file.read_bytes()))

    return run


def odd_round(**values: object) -> Callable[[bytes], bytes]:
    """The first line with other values, and its digest."""

    def change(lines: bytes) -> bytes:
        first, _, rest = lines.partition(b"\n")
        content = {**json.loads(first), **values}
        del content["sha256"]
        return seal(json.dumps(content).encode()) + rest

    return change


def unsealed(text: bytes) -> bytes:
    content = json.loads(text.partition(b"\n{")[0] if text.count(b"\n{") else text)
    del content["sha256"]
    return json.dumps(content).encode() + b"\n"


ROUNDS = f"{SHOP.folder}/rounds.jsonl"
METRICS = f"{SHOP.folder}/0000/metrics.txt"
HEAP = f"{SHOP.folder}/0001/heap.pb.gz"
CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a digit of a reply": (in_file(METRICS, lambda text: text.replace(b"0", b"1", 1)), "metrics.txt"),
    "a byte of a profile": (in_file(HEAP, lambda body: body[:-1] + b"\x01"), "heap.pb.gz"),
    "an empty reply": (in_file(HEAP, lambda _: b""), "heap.pb.gz"),
    "a reply removed": (lambda root: (root / HEAP).unlink(), "heap.pb.gz"),
    "a digit of a round": (in_file(ROUNDS, lambda text: text.replace(b"0.002", b"0.007", 1)), "rounds.jsonl:1"),
    "a round without its digest": (in_file(ROUNDS, unsealed), "rounds.jsonl"),
    "a round cut in the middle": (in_file(ROUNDS, lambda text: text.replace(b"\n", b"", 1)), "rounds.jsonl:1"),
    "zeros in a round": (in_file(ROUNDS, lambda text: text[:50] + bytes(20) + text[70:]), "rounds.jsonl:1"),
    "no rounds": (in_file(ROUNDS, lambda _: b""), "the folders of later rounds"),
    "zeros instead of rounds": (in_file(ROUNDS, lambda text: bytes(len(text))), "the folders of later rounds"),
    "rounds removed": (lambda root: (root / ROUNDS).unlink(), "the folders of later rounds"),
    "a time that is no number": (in_file(ROUNDS, odd_round(at=float("nan"))), "no time"),
    "a time after all calendars": (in_file(ROUNDS, odd_round(at=1e300)), "no time"),
    "a round without digests of its files": (in_file(ROUNDS, odd_round(digests={})), "a sha256 is missing"),
    "a name of the manifest": (in_file("manifest.json", lambda text: text.replace(b"shop", b"shoq")), "manifest.json"),
    "a manifest without its digest": (in_file("manifest.json", unsealed), "its sha256 is missing"),
    "a manifest of zeros": (in_file("manifest.json", lambda text: bytes(len(text))), "manifest.json"),
    "a manifest too deep": (in_file("manifest.json", lambda _: b"[" * 200_000), "manifest.json"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_on_disk_is_an_error_and_a_capture_that_goes_on_removes_nothing(
    tmp_path: Path, change: Callable[[Path], None], words: str
) -> None:
    written(tmp_path, rounds=3)
    change(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CaptureError, match=words):
        load_capture(tmp_path)
    with contextlib.suppress(CaptureError):
        writer(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_capture_of_version_1_has_no_digests_and_is_read_and_goes_on(tmp_path: Path) -> None:
    written(tmp_path, rounds=1)
    in_file("manifest.json", lambda text: unsealed(text).replace(b'"version": 2', b'"version": 1'))(tmp_path)
    lines = json.loads((tmp_path / ROUNDS).read_bytes())
    del lines["sha256"], lines["digests"]
    (tmp_path / ROUNDS).write_text(json.dumps(lines) + "\n")
    assert len(load_capture(tmp_path).targets[0].rounds) == 1
    made = writer(tmp_path)
    assert made.finished_rounds(SHOP) == 1
    made.write(SHOP, one_round(1), bodies())
    assert len(load_capture(tmp_path).targets[0].rounds) == 2


@pytest.mark.parametrize("folder", ["..", ".", "", "a/b", "a\\b", "a\x00b", "C:"])
def test_a_folder_outside_of_the_capture_is_not_opened(tmp_path: Path, folder: str) -> None:
    written(tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_bytes())
    del content["sha256"]
    content["targets"][0]["folder"] = folder
    (tmp_path / "manifest.json").write_bytes(seal(json.dumps(content).encode()))
    with pytest.raises(CaptureError, match="folder of a target"):
        load_capture(tmp_path)
