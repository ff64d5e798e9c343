"""The format of a capture on disk: a manifest, and one folder for each target with a line and a folder for each round.

    DIR/manifest.json
    DIR/TARGET/rounds.jsonl       one `RecordedRound` a line
    DIR/TARGET/0000/heap.pb.gz    the raw replies, index.html, trace.bin and metrics.txt among them

A round is complete when its line is written. An interrupted capture can leave a folder without a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, TRACE
from pprof_exporter.escaping import json_text
from pprof_exporter.profile import KINDS, System
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.store import Fingerprint

CAPTURE_FORMAT = "pprof-exporter capture"
CAPTURE_VERSION = 1
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
    """One round of all fetches. `round` counts from 0, `at` is the Unix time of its start."""

    round: int
    at: float
    fetches: tuple[RecordedFetch, ...]
    canary: tuple[RecordedCanary, ...]
    cpu: RecordedCpuUse | None
    fingerprint: Fingerprint
    go_version: str
    system: System | None


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


def round_folder(number: int) -> str:
    """Folder name of a round."""
    return f"{number:04d}"


def encode_round(round_: RecordedRound) -> bytes:
    """A round as one line of JSON, with its line break."""
    return json_text(_ROUND.dump_python(round_, mode="json")).encode() + b"\n"


def encode_capture_manifest(manifest: CaptureManifest) -> bytes:
    """The manifest as a JSON file."""
    return json_text(_MANIFEST.dump_python(manifest, mode="json"), indent=2).encode() + b"\n"


def read_manifest(path: Path) -> CaptureManifest:
    """The manifest of the capture in this folder. Raises `CaptureError`."""
    file = path / CAPTURE_MANIFEST
    try:
        manifest = _MANIFEST.validate_json(file.read_bytes())
    except OSError as error:
        raise CaptureError(f"{file}: {error.strerror or error}") from error
    except ValidationError as error:
        raise CaptureError(f"{file}: not the manifest of a capture: {_first(error)}") from None
    if manifest.format != CAPTURE_FORMAT or manifest.version > CAPTURE_VERSION:
        raise CaptureError(
            f"{file}: {manifest.format!r} version {manifest.version}; "
            f"this program reads {CAPTURE_FORMAT!r} up to {CAPTURE_VERSION}"
        )
    if any(Path(target.folder).name != target.folder for target in manifest.targets):
        raise CaptureError(f"{file}: the folder of a target is missing")
    return manifest


def read_rounds(folder: Path) -> tuple[RecordedRound, ...]:
    """The finished rounds of one target, in order. Raises `CaptureError`.

    A last line without a line break, left by an interrupted capture, is skipped. A missing file means no rounds.
    """
    file = folder / ROUNDS_FILE
    try:
        *lines, _ = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise CaptureError(f"{file}: {error.strerror or error}") from error
    rounds = tuple(_round(file, number, line) for number, line in enumerate(lines, 1))
    for expected, found in enumerate(rounds):
        if found.round != expected:
            raise CaptureError(f"{file}:{expected + 1}: round {found.round} where {expected} is next")
    return rounds


def _round(file: Path, number: int, line: bytes) -> RecordedRound:
    try:
        found = _ROUND.validate_json(line)
    except ValidationError as error:
        raise CaptureError(f"{file}:{number}: not a round: {_first(error)}") from None
    if any(fetch.file is not None and Path(fetch.file).name != fetch.file for fetch in found.fetches):
        raise CaptureError(f"{file}:{number}: a file that is not in the folder of the round")
    return found


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
