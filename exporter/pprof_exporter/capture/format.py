"""The format of a capture on disk: a manifest, and one folder for each target with a line and a folder for each round.

    DIR/manifest.json
    DIR/TARGET/rounds.jsonl       one `RecordedRound` a line
    DIR/TARGET/0000/heap.pb.gz    the raw replies, index.html, trace.bin and metrics.txt among them

A round is complete when its line is written. An interrupted capture can leave a folder without a line.

From version 2 on, the manifest and each line have a digest of themselves, and a line those of its files: what changed
on disk is an error, not a figure.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, TRACE
from pprof_exporter.escaping import json_text
from pprof_exporter.profile import KINDS, System
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.sealed_json import is_sealed, seal
from pprof_exporter.store import Fingerprint

CAPTURE_FORMAT = "pprof-exporter capture"
CAPTURE_VERSION = 2
CAPTURE_MANIFEST = "manifest.json"
ROUNDS_FILE = "rounds.jsonl"

METRICS_PAGE = "metrics"
MUTEX_RATE = "mutex_rate"
WITHOUT_MODULES = "without_modules"

FILE_NAMES: dict[str, str] = {
    INDEX: "index.html",
    **{name: f"{name}.pb.gz" for name in KINDS},
    MEMSTATS: "heap_debug1.txt",
    TRACE: "trace.bin",
    METRICS_PAGE: "metrics.txt",
    MUTEX_RATE: "mutex_debug1.txt",
}
"""File name of each reply, by what is fetched. Of other requests only the time is recorded."""


class CaptureError(Exception):
    """A capture cannot be read or written. The message names the file and the cause."""


@dataclass(frozen=True, slots=True)
class RecordedFetch:
    """One fetch. `file` is a file name in the folder of the round, None without a reply; `asked_at` is Unix time.

    `window` is the requested window in seconds. `phases` has the seconds spent, None if no complete reply came.
    """

    profile: str
    file: str | None
    asked_at: float
    window: float
    phases: Phases | None
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class RecordedCanary:
    """One canary request. `seconds` is its latency, None without a reply."""

    during: During
    seconds: float | None


@dataclass(frozen=True, slots=True)
class RecordedCpuUse:
    """CPU seconds that the process used within the CPU profile, and their source."""

    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class RecordedRound:
    """One round of all fetches. `round` counts from 0, `at` is the Unix time of its start.

    `digests` has the SHA-256 of each file, by name; none in version 1.
    """

    round: int
    at: float
    fetches: tuple[RecordedFetch, ...]
    canary: tuple[RecordedCanary, ...]
    cpu: RecordedCpuUse | None
    fingerprint: Fingerprint
    go_version: str
    system: System | None
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """A target in the manifest; `folder` is its folder beside the manifest.

    `about` reproduces it: commands, environment and versions of a matrix entry.
    """

    name: str
    folder: str
    labels: dict[str, str]
    about: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaptureManifest:
    """The manifest of a capture. `created` is ISO 8601 in UTC, `exporter` the version that wrote it."""

    format: str
    version: int
    created: str
    exporter: str
    targets: tuple[TargetEntry, ...]


_ROUND = TypeAdapter(RecordedRound)
_MANIFEST = TypeAdapter(CaptureManifest)
# Folders and files are opened, so only names that `CaptureWriter` gives are allowed.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_FIRST_SEALED = 2
# The years 1 to 9999, which calendars know.
_FIRST_TIME, _LAST_TIME = -62_135_596_800.0, 253_402_300_799.0

T = TypeVar("T")


def round_folder(number: int) -> str:
    """Folder name of a round."""
    return f"{number:04d}"


def digest_of(body: bytes) -> str:
    """The digest of a file in `RecordedRound.digests`."""
    return hashlib.sha256(body).hexdigest()


def encode_round(round_: RecordedRound) -> bytes:
    """A round as one line of JSON, with its line break."""
    return seal(json_text(_ROUND.dump_python(round_, mode="json")).encode())


def encode_capture_manifest(manifest: CaptureManifest) -> bytes:
    """The manifest as a JSON file."""
    return seal(json_text(_MANIFEST.dump_python(manifest, mode="json"), indent=2).encode(), indent=2)


def read_manifest(path: Path) -> CaptureManifest:
    """The manifest of the capture in this folder. Raises `CaptureError`."""
    file = path / CAPTURE_MANIFEST
    try:
        text = file.read_bytes()
    except OSError as error:
        raise CaptureError(f"{file}: {error.strerror or error}") from error
    manifest, sealed = _decoded(_MANIFEST, text, f"{file}: not the manifest of a capture")
    if manifest.format != CAPTURE_FORMAT or not 1 <= manifest.version <= CAPTURE_VERSION:
        raise CaptureError(
            f"{file}: {manifest.format!r} version {manifest.version}; "
            f"this program reads {CAPTURE_FORMAT!r} up to {CAPTURE_VERSION}"
        )
    if manifest.version >= _FIRST_SEALED and not sealed:
        raise CaptureError(f"{file}: not as it was written: its sha256 is missing")
    if not all(_NAME.fullmatch(target.folder) for target in manifest.targets):
        raise CaptureError(f"{file}: the folder of a target is missing")
    return manifest


def read_rounds(folder: Path, version: int) -> tuple[RecordedRound, ...]:
    """The finished rounds of one target, in order; `version` is that of the manifest. Raises `CaptureError`.

    A last line without a line break, left by an interrupted capture, is skipped. A missing file means no rounds.
    """
    file = folder / ROUNDS_FILE
    try:
        *lines, _ = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise CaptureError(f"{file}: {error.strerror or error}") from error
    rounds = tuple(_round(f"{file}:{number}", line, version) for number, line in enumerate(lines, 1))
    for expected, found in enumerate(rounds):
        if found.round != expected:
            raise CaptureError(f"{file}:{expected + 1}: round {found.round} where {expected} is next")
    # An interrupted capture leaves one folder without a line. With more of them, lines were lost, and a capture that
    # goes on would remove the folders.
    if (folder / round_folder(len(rounds) + 1)).is_dir():
        raise CaptureError(f"{file}: ends before round {len(rounds)}, and the folders of later rounds are there")
    return rounds


def read_recorded_file(folder: Path, round_: RecordedRound, name: str) -> bytes:
    """A file in the folder of a round. Raises OSError, and `CaptureError` if it is not as it was written."""
    body = (folder / name).read_bytes()
    if round_.digests and round_.digests.get(name) != digest_of(body):
        raise CaptureError(f"{folder / name}: not as it was written: its sha256 is another")
    return body


def _round(place: str, line: bytes, version: int) -> RecordedRound:
    found, sealed = _decoded(_ROUND, line, f"{place}: not a round")
    names = {fetch.file for fetch in found.fetches if fetch.file is not None}
    if not all(map(_NAME.fullmatch, names)):
        raise CaptureError(f"{place}: a file that is not in the folder of the round")
    if version >= _FIRST_SEALED and not (sealed and names <= found.digests.keys()):
        raise CaptureError(f"{place}: not as it was written: a sha256 is missing")
    times = [found.at, *(fetch.asked_at for fetch in found.fetches)]
    if not all(_FIRST_TIME <= time <= _LAST_TIME for time in times) or not all(_numbers(asdict(found))):
        raise CaptureError(f"{place}: a number that is no time or not finite")
    return found


def _decoded(adapter: TypeAdapter[T], text: bytes, what: str) -> tuple[T, bool]:
    """The content, and whether it had a digest."""
    try:
        sealed = is_sealed(text)
        return adapter.validate_json(text), sealed
    except ValidationError as error:
        raise CaptureError(f"{what}: {_first(error)}") from None
    except Exception as error:  # noqa: BLE001 - whatever a parser makes of damaged bytes, they are no capture
        raise CaptureError(f"{what}: {error}") from None


def _numbers(value: object) -> Iterator[bool]:
    """For each number within, whether it is finite."""
    match value:
        case float():
            yield math.isfinite(value)
        case dict():
            for one in value.values():
                yield from _numbers(one)
        case list() | tuple():
            for one in value:
                yield from _numbers(one)


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
