"""What a capture is on disk: a manifest, and for each target a folder with one line and one folder for each round.

    DIR/manifest.json
    DIR/TARGET/rounds.jsonl       one `RecordedRound` a line
    DIR/TARGET/0000/heap.pb.gz    the replies as they came, index.html, trace.bin and metrics.txt among them

A round counts once its line is there; a folder without a line is what an interrupted capture left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, TRACE
from pprof_exporter.profile import KINDS, System
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.store import Fingerprint

CAPTURE_FORMAT = "pprof-exporter capture"
CAPTURE_VERSION = 1
CAPTURE_MANIFEST = "manifest.json"
ROUNDS = "rounds.jsonl"

METRICS = "metrics"
MUTEX_RATE = "mutex_rate"
WITHOUT_MODULES = "without_modules"

FILES: dict[str, str] = {
    INDEX: "index.html",
    **{name: f"{name}.pb.gz" for name in KINDS},
    MEMSTATS: "heap_debug1.txt",
    TRACE: "trace.bin",
    METRICS: "metrics.txt",
    MUTEX_RATE: "mutex_debug1.txt",
}
"""The file of each thing that is fetched. Of what is not here only the time is kept."""


class CaptureError(Exception):
    """A capture that cannot be read or written; the message names the file and says what is wrong."""


@dataclass(frozen=True, slots=True)
class RecordedFetch:
    """One fetch. `file` is beside the others of its round, None if nothing came; `asked_at` is Unix time.

    `window` is the seconds that were asked for, `phases` the seconds spent, None of a fetch that failed on the way.
    """

    profile: str
    file: str | None
    asked_at: float
    window: float
    phases: Phases | None
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RecordedCanary:
    """One cheap request: its seconds, None if it was not answered."""

    during: During
    seconds: float | None


@dataclass(frozen=True, slots=True)
class RecordedCpuUse:
    """CPU seconds that the process used within the CPU profile, and who told them."""

    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class RecordedRound:
    """One look at everything. `round` counts from 0, `at` is Unix time of its beginning."""

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

    `about` is what reproduces it: commands, environment and versions of an entry of a matrix.
    """

    name: str
    folder: str
    labels: dict[str, str]
    about: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaptureManifest:
    """What a capture holds. `created` is ISO 8601 in UTC, `exporter` the version that wrote it."""

    format: str
    version: int
    created: str
    exporter: str
    targets: tuple[TargetEntry, ...]


_ROUND = TypeAdapter(RecordedRound)
_MANIFEST = TypeAdapter(CaptureManifest)


def round_folder(number: int) -> str:
    """Name of the folder of a round."""
    return f"{number:04d}"


def write_round(round_: RecordedRound) -> bytes:
    """The line of a round, with its end."""
    return _ROUND.dump_json(round_) + b"\n"


def write_manifest(manifest: CaptureManifest) -> bytes:
    """The whole file."""
    return _MANIFEST.dump_json(manifest, indent=2) + b"\n"


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

    A last line without an end is what an interrupted capture left, and is passed over. No line at all: no rounds.
    """
    file = folder / ROUNDS
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
