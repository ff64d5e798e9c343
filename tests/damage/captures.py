"""Captures: rounds of two targets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pprof_exporter.capture.format import (
    CaptureError,
    RecordedCanary,
    RecordedFetch,
    RecordedRound,
    read_manifest,
    read_recorded_file,
    read_rounds,
    round_folder,
)
from pprof_exporter.capture.reader import load_capture
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.catalog import Outcome
from pprof_exporter.profile import System
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.store import Fingerprint
from tests.damage.kept import Reading
from tests.recorded import RECORDINGS

_TARGETS = target_entries([("shop:6060", {"service": "shop"}), ("mail:6060", {"service": "mail"})])
_PROGRAM = RECORDINGS / "linux-go1.27.3"
_FILES = {"index": "index.html", "goroutine": "goroutine.pb.gz", "memstats": "heap_debug1.txt"}


class Captures:
    """Each step is a round of both targets. All runs write the same capture, one after the other."""

    name = "capture"

    def write(self, root: Path, run: int, steps: int | None, done: Callable[[int], None]) -> None:
        writer = _writer(root)
        first = min(writer.finished_rounds(entry) for entry in _TARGETS)
        for step in itertools.count(first) if steps is None else range(first, steps):
            for entry in _TARGETS:
                if writer.finished_rounds(entry) == step:
                    writer.write(entry, _round(step), _bodies(step))
            done(step + 1)

    def read(self, root: Path, written: dict[int, int]) -> Reading:
        reading = Reading()
        rounds = max(written.values(), default=0)
        try:
            manifest = read_manifest(root)
            if manifest.targets != _TARGETS:
                reading.false.append(f"{manifest}")
            for entry in manifest.targets:
                found = read_rounds(root / entry.folder, manifest.version)
                reading.missing += max(0, rounds - len(found))
                for step, round_ in enumerate(found):
                    self._check(reading, root / entry.folder / round_folder(step), step, round_)
            load_capture(root)
            _writer(root)
            load_capture(root)
        except CaptureError as error:
            reading.counted, reading.told = 1, str(error)
        return reading

    @staticmethod
    def _check(reading: Reading, folder: Path, step: int, round_: RecordedRound) -> None:
        if replace(round_, digests={}) != _round(step):
            reading.false.append(f"{round_}")
        for name, body in _bodies(step).items():
            try:
                if read_recorded_file(folder, round_, name) != body:
                    reading.false.append(f"{folder / name}")
            except OSError as error:
                raise CaptureError(f"{error}") from error

    def kind(self, file: str) -> str:
        name = file.rpartition("/")[2]
        return name if name in ("manifest.json", "rounds.jsonl") else "reply"

    def is_checked(self, kind: str, how: str, missing: int) -> bool:
        # A round without a line is one that was interrupted.
        return not (kind == "rounds.jsonl" and missing == 1)


def _writer(root: Path) -> CaptureWriter:
    return CaptureWriter(root, _TARGETS, exporter="0.1.0", created="2026-01-01T00:00:00+00:00")


def _round(step: int) -> RecordedRound:
    took = Phases(0.0, 0.001, 0.0, 0.002 + step / 1000, 0.003)
    return RecordedRound(
        round=step,
        at=1_764_000_000.0 + 30 * step,
        fetches=tuple(
            RecordedFetch(name, file, 1_764_000_001.5 + 30 * step, 0.0, took, Outcome.SUCCESS)
            for name, file in _FILES.items()
        ),
        canary=(RecordedCanary(During.REST, 0.002 + step / 1000), RecordedCanary(During.PROFILE, None)),
        cpu=None,
        fingerprint=Fingerprint(),
        go_version="1.27.3",
        system=System.LINUX,
    )


def _bodies(step: int) -> Mapping[str, bytes]:
    recorded = {file: (_PROGRAM / file).read_bytes() for file in _FILES.values()}
    return {**recorded, "index.html": recorded["index.html"] + b"<!-- %d -->" % step}
