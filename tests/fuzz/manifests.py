"""Manifests of evidence, and manifests and rounds of captures."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from pydantic import TypeAdapter

from pprof_exporter.capture.format import CAPTURE_MANIFEST, ROUNDS_FILE, CaptureError, read_manifest
from pprof_exporter.capture.reader import load_capture
from pprof_exporter.capture.writer import CaptureWriter
from pprof_exporter.evidence_store import FINDING_MANIFEST, EvidenceRetention, EvidenceStore, FindingRecord
from pprof_exporter.evidence_store.manifest import decode_manifest, encode_manifest
from pprof_exporter.web.pages.evidence_pages import finding_page, list_page
from tests.damage.captures import Captures
from tests.damage.damages import restore, taken
from tests.evidence_store.saved import bodies, finding
from tests.fuzz.grammar import Grammar
from tests.fuzz.odd_json import odd_document

_NOW = 1000.0


class Unusable(Exception):
    """Refused as damaged."""


@cache
def _scratch() -> Path:
    """A folder for the cases of this process."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    _KEPT_ALIVE.append(folder)
    return Path(folder.name)


_KEPT_ALIVE: list[tempfile.TemporaryDirectory[str]] = []


@cache
def _evidence() -> tuple[str, str]:
    """Name and manifest of a finding on disk."""
    store = EvidenceStore.open(_scratch() / "evidence", EvidenceRetention(), _NOW)
    saved = store.add(finding(), bodies(5, 6), _NOW)
    store.close()
    assert saved is not None
    return saved.id, (_scratch() / "evidence" / saved.id / FINDING_MANIFEST).read_text(encoding="utf-8")


def _finding(random: Random) -> bytes:
    right = json.loads(_evidence()[1])
    del right["sha256"]
    right["version"] = random.choice((1, 2, 2))
    return odd_document(random, right)


def _read_finding(case: bytes) -> None:
    record = decode_manifest(case)
    name, right = _evidence()
    manifest = _scratch() / "evidence" / name / FINDING_MANIFEST
    if record is not None:
        TypeAdapter(FindingRecord).dump_json(record)
        again = decode_manifest(encode_manifest(record))
        assert again is None or again == record
    # Most is refused before the disk matters; of the rest, what the exporter does with it.
    if record is None and len(case) % 20:
        raise Unusable
    manifest.parent.mkdir(exist_ok=True)
    restore({"a.pb": bytes(5), "b.pb": b"\x01" * 6, FINDING_MANIFEST: case}, manifest.parent)
    store = EvidenceStore.open(_scratch() / "evidence", EvidenceRetention(max_age=float("inf")), _NOW)
    try:
        for saved in store.findings():
            (list_page(store, None, 1) + finding_page(saved)).encode()
            for file in saved.finding.files:
                store.read(saved, file)
        store.expire(_NOW)
        if store.troubles:
            raise Unusable
    finally:
        store.close()
        assert right


@cache
def _capture() -> tuple[dict[str, bytes], str, list[dict[str, object]]]:
    """The files of a capture, its manifest and the rounds of one target."""
    root = _scratch() / "capture"
    Captures().write(root, 0, 2, lambda _: None)
    files = taken(root)
    lines = files[f"shop-6060/{ROUNDS_FILE}"].splitlines()
    return files, files[CAPTURE_MANIFEST].decode(), [json.loads(line) for line in lines]


def _manifest(random: Random) -> bytes:
    right = json.loads(_capture()[1])
    del right["sha256"]
    right["version"] = random.choice((1, 2, 2))
    return odd_document(random, right)


def _rounds(random: Random) -> bytes:
    """A round, of a capture of version 1 or 2 as the first byte says."""
    right = dict(_capture()[2][0])
    del right["sha256"]
    if random.random() < 0.3:
        del right["digests"]
    return random.choice((b"1", b"2")) + odd_document(random, right).replace(b"\n", b" ") + b"\n"


def _read_manifest(case: bytes) -> None:
    _read_capture({CAPTURE_MANIFEST: case})


def _read_rounds(case: bytes) -> None:
    right = json.loads(_capture()[1])
    if case[:1] == b"1":
        del right["sha256"]
        manifest = json.dumps({**right, "version": 1}).encode()
    else:
        manifest = _capture()[1].encode()
    _read_capture({CAPTURE_MANIFEST: manifest, f"shop-6060/{ROUNDS_FILE}": case[1:]})


def _read_capture(changed: dict[str, bytes]) -> None:
    files, root = _capture()[0], _scratch() / "capture"
    for name, data in changed.items():
        (root / name).write_bytes(data)
    try:
        for target in load_capture(root).targets:
            assert all(isinstance(value, float) for round_ in target.rounds for value in round_.signals.values())
        CaptureWriter(root, read_manifest(root).targets, exporter="0.1.0", created="2026-01-01T00:00:00+00:00")
    finally:
        for name in changed:
            (root / name).write_bytes(files[name])


GRAMMARS = (
    Grammar("evidence", _finding, _read_finding, (Unusable,)),
    Grammar("capture", _manifest, _read_manifest, (CaptureError,)),
    Grammar("rounds", _rounds, _read_rounds, (CaptureError,)),
)
