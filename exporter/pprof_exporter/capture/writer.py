"""Writes a capture. A round is complete or absent, and an interrupted capture can be continued."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pprof_exporter.capture.format import (
    CAPTURE_FORMAT,
    CAPTURE_MANIFEST,
    CAPTURE_VERSION,
    ROUNDS_FILE,
    CaptureError,
    CaptureManifest,
    RecordedRound,
    TargetEntry,
    digest_of,
    encode_capture_manifest,
    encode_round,
    read_manifest,
    read_rounds,
    round_folder,
)

_UNFINISHED = ".part"
# Names that are valid on every system, Windows included.
_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80

T = TypeVar("T")


class CaptureWriter:
    """A capture in a folder, new or continued. Only one process may write it at a time."""

    def __init__(self, path: Path, entries: Iterable[TargetEntry], *, exporter: str, created: str) -> None:
        """Start the capture, or continue one of the same targets. Raises `CaptureError`."""
        self._path = path
        self._exporter = exporter
        self._created = created
        self._entries = tuple(entries)
        self._version = CAPTURE_VERSION
        _with_capture_errors(path, self._begin)

    def finished_rounds(self, entry: TargetEntry) -> int:
        """Number of complete rounds of this target. Raises `CaptureError`."""
        return len(read_rounds(self._path / entry.folder, self._version))

    def write(self, entry: TargetEntry, round_: RecordedRound, bodies: Mapping[str, bytes]) -> None:
        """Add a round; `bodies` are its files by name. Raises `CaptureError`."""
        folder = self._path / entry.folder
        _with_capture_errors(folder, lambda: self._write(folder, round_, bodies))

    def _write(self, folder: Path, round_: RecordedRound, bodies: Mapping[str, bytes]) -> None:
        whole = folder / round_folder(round_.round)
        part = whole.with_name(whole.name + _UNFINISHED)
        part.mkdir(parents=True)
        for name, body in bodies.items():
            _write_synced(part / name, body)
        digests = {name: digest_of(body) for name, body in bodies.items()}
        part.rename(whole)
        with (folder / ROUNDS_FILE).open("ab") as lines:
            lines.write(encode_round(replace(round_, digests=digests)))
            lines.flush()
            os.fsync(lines.fileno())

    def _begin(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        if (self._path / CAPTURE_MANIFEST).exists():
            known = read_manifest(self._path)
            if known.targets != self._entries:
                raise CaptureError(f"{self._path}: {_difference(known.targets, self._entries)}")
            self._version = known.version
        elif any(self._path.iterdir()):
            raise CaptureError(f"{self._path}: not empty and not a capture; choose another folder")
        else:
            manifest = CaptureManifest(CAPTURE_FORMAT, CAPTURE_VERSION, self._created, self._exporter, self._entries)
            part = self._path / (CAPTURE_MANIFEST + _UNFINISHED)
            _write_synced(part, encode_capture_manifest(manifest))
            part.rename(self._path / CAPTURE_MANIFEST)
        for entry in self._entries:
            _remove_unfinished(self._path / entry.folder, self._version)


def target_entries(targets: Iterable[tuple[str, Mapping[str, str]]]) -> tuple[TargetEntry, ...]:
    """Entries for targets of these names and labels, each with its own folder."""
    made: list[TargetEntry] = []
    for name, labels in targets:
        plain = _NOT_PORTABLE.sub("-", name).strip("-.")[:_LONGEST] or "target"
        # Some file systems ignore case.
        taken = {entry.folder.lower() for entry in made}
        folder = next(
            candidate
            for candidate in (plain, *(f"{plain}-{number}" for number in range(2, len(made) + 3)))
            if candidate.lower() not in taken
        )
        made.append(TargetEntry(name, folder, dict(sorted(labels.items()))))
    return tuple(made)


def _remove_unfinished(folder: Path, version: int) -> None:
    """Remove the leftovers of an interrupted capture: half a line, and folders of rounds without a line."""
    folder.mkdir(exist_ok=True)
    finished = {round_folder(round_.round) for round_ in read_rounds(folder, version)}
    lines = folder / ROUNDS_FILE
    if lines.exists():
        written = lines.read_bytes()
        whole = written.rfind(b"\n") + 1
        if whole != len(written):
            os.truncate(lines, whole)
    for found in folder.iterdir():
        if found.is_dir() and found.name not in finished and found.name.removesuffix(_UNFINISHED).isdigit():
            shutil.rmtree(found)


def _write_synced(file: Path, body: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(body)
        opened.flush()
        os.fsync(opened.fileno())


def _difference(known: tuple[TargetEntry, ...], wanted: tuple[TargetEntry, ...]) -> str:
    names = [target.name for target in known]
    if names != [target.name for target in wanted]:
        return f"holds a capture of {', '.join(names)}; choose another folder, or name the same targets to resume it"
    changed = ", ".join(one.name for one, other in zip(known, wanted, strict=True) if one != other)
    return f"was captured with other labels, commands or versions of {changed}; choose another folder"


def _with_capture_errors(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        raise CaptureError(f"{error.filename or path}: {error.strerror or error}") from error
