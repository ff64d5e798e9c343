"""Write a capture so that a round is either whole or not there, and one that was interrupted goes on."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pprof_exporter.capture.format import (
    CAPTURE_FORMAT,
    CAPTURE_MANIFEST,
    CAPTURE_VERSION,
    ROUNDS,
    CaptureError,
    CaptureManifest,
    RecordedRound,
    TargetEntry,
    read_manifest,
    read_rounds,
    round_folder,
    write_manifest,
    write_round,
)

_UNFINISHED = ".part"
# Names that are valid on every system, Windows included.
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80

T = TypeVar("T")


class CaptureWriter:
    """A capture in a folder, new or to be continued. One process at a time may write it."""

    def __init__(self, path: Path, entries: Iterable[TargetEntry], *, exporter: str, created: str) -> None:
        """Begin the capture, or go on with one of the same targets. Raises `CaptureError`."""
        self._path = path
        self._exporter = exporter
        self._created = created
        self._entries = tuple(entries)
        _tried(path, self._begin)

    def finished(self, entry: TargetEntry) -> int:
        """How many rounds of this target are whole. Raises `CaptureError`."""
        return len(read_rounds(self._path / entry.folder))

    def write(self, entry: TargetEntry, round_: RecordedRound, bodies: Mapping[str, bytes]) -> None:
        """Add a round; `bodies` are its files by name. Raises `CaptureError`."""
        folder = self._path / entry.folder
        _tried(folder, lambda: self._write(folder, round_, bodies))

    def _write(self, folder: Path, round_: RecordedRound, bodies: Mapping[str, bytes]) -> None:
        whole = folder / round_folder(round_.round)
        part = whole.with_name(whole.name + _UNFINISHED)
        part.mkdir(parents=True)
        for name, body in bodies.items():
            _put(part / name, body)
        part.rename(whole)
        with (folder / ROUNDS).open("ab") as lines:
            lines.write(write_round(round_))
            lines.flush()
            os.fsync(lines.fileno())

    def _begin(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        if (self._path / CAPTURE_MANIFEST).exists():
            known = read_manifest(self._path)
            if known.targets != self._entries:
                raise CaptureError(f"{self._path}: {_difference(known.targets, self._entries)}")
        elif any(self._path.iterdir()):
            raise CaptureError(f"{self._path}: not empty and not a capture; choose another folder")
        else:
            manifest = CaptureManifest(CAPTURE_FORMAT, CAPTURE_VERSION, self._created, self._exporter, self._entries)
            part = self._path / (CAPTURE_MANIFEST + _UNFINISHED)
            _put(part, write_manifest(manifest))
            part.rename(self._path / CAPTURE_MANIFEST)
        for entry in self._entries:
            _tidy(self._path / entry.folder)


def target_entries(targets: Iterable[tuple[str, Mapping[str, str]]]) -> tuple[TargetEntry, ...]:
    """Entries for targets of these names and labels, each with a folder of its own."""
    made: list[TargetEntry] = []
    for name, labels in targets:
        plain = _ODD.sub("-", name).strip("-.")[:_LONGEST] or "target"
        # Some file systems tell no capitals.
        taken = {entry.folder.lower() for entry in made}
        folder = next(
            candidate
            for candidate in (plain, *(f"{plain}-{number}" for number in range(2, len(made) + 3)))
            if candidate.lower() not in taken
        )
        made.append(TargetEntry(name, folder, dict(sorted(labels.items()))))
    return tuple(made)


def _tidy(folder: Path) -> None:
    """Remove what an interrupted capture left: half a line, and folders of rounds that have no line."""
    folder.mkdir(exist_ok=True)
    lines = folder / ROUNDS
    if lines.exists():
        written = lines.read_bytes()
        whole = written.rfind(b"\n") + 1
        if whole != len(written):
            os.truncate(lines, whole)
    finished = {round_folder(round_.round) for round_ in read_rounds(folder)}
    for found in folder.iterdir():
        if found.is_dir() and found.name not in finished and found.name.removesuffix(_UNFINISHED).isdigit():
            shutil.rmtree(found)


def _put(file: Path, body: bytes) -> None:
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


def _tried(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        raise CaptureError(f"{error.filename or path}: {error.strerror or error}") from error
