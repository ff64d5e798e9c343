"""What is kept of a finding: its manifest, and the raw profiles that show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

FINDING_MANIFEST = "manifest.json"
# Room on the disk is given in blocks of this size.
_BLOCK = 4096
_GZIP = b"\x1f\x8b"


class Origin(StrEnum):
    """Why profiles were kept."""

    FINDING = "finding"
    """A verdict turned bad."""
    ALERT = "alert"
    """An Alertmanager asked for a capture."""


class BodyRole(StrEnum):
    """What a profile has to do with a finding."""

    SHOWS = "shows"
    """It is of the time at which the finding was made."""
    BEFORE = "before"
    """It is the last one of before."""


@dataclass(frozen=True, slots=True)
class RawProfile:
    """A reply as it came over the wire; `asked_at` is Unix time."""

    kind: str
    asked_at: float
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile within a finding. `name` is that of the file, `size` in bytes, `asked_at` Unix time."""

    # What a manifest names is opened: nothing but the names of `file_of`.
    name: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,32}(-before)?\.(pb\.gz|pb|trace)$")]
    kind: str
    asked_at: float
    sha256: str
    size: int
    role: BodyRole

    def holds(self, data: bytes) -> bool:
        """Whether this is what was written."""
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Process:
    """What was known of the process; "" or "unknown" is not known. `epoch` is when its epoch was entered, Unix time."""

    program: str = "unknown"
    build: str = "unknown"
    go: str = "unknown"
    system: str = "unknown"
    epoch: float | None = None
    fingerprint: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A finding that is kept, as its manifest has it.

    `mode` is the failure mode (`F5`), "" if an alert named none; `level` is that of the verdict, or the severity of the
    alert; `said` a sentence with figures; `runbook` a path of the exporter's pages; `at` Unix time and `when` the same
    for people. `missing` says why a profile that was asked for is not there, by kind.
    """

    target: str
    labels: dict[str, str]
    origin: Origin
    mode: str
    level: str
    said: str
    alert: str
    runbook: str
    at: float
    when: str
    process: Process = field(default_factory=Process)
    missing: dict[str, str] = field(default_factory=dict)
    files: tuple[ProfileFile, ...] = ()
    version: int = 1

    def file(self, name: str) -> ProfileFile | None:
        """The file of this name."""
        return next((file for file in self.files if file.name == name), None)

    @property
    def size(self) -> int:
        """What the files hold, in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class SavedFinding:
    """A finding on the disk. `id` names its folder, `occupies` is the room that it takes there, in bytes."""

    id: str
    finding: FindingRecord
    occupies: int


def file_of(body: RawProfile, role: BodyRole) -> ProfileFile:
    """How a body is filed."""
    ending = "trace" if body.kind == "trace" else "pb.gz" if body.data.startswith(_GZIP) else "pb"
    before = "-before" if role is BodyRole.BEFORE else ""
    digest = hashlib.sha256(body.data).hexdigest()
    return ProfileFile(f"{body.kind}{before}.{ending}", body.kind, body.asked_at, digest, len(body.data), role)


@cache
def _manifests() -> TypeAdapter[FindingRecord]:
    """Made when the first is read or written: it takes a while, and most commands need none."""
    return TypeAdapter(FindingRecord)


def encode_manifest(finding: FindingRecord) -> bytes:
    """The manifest, as JSON."""
    return _manifests().dump_json(finding, indent=1) + b"\n"


def decode_manifest(manifest: bytes) -> FindingRecord | None:
    """The finding of a manifest; None if it is none."""
    try:
        return _manifests().validate_json(manifest)
    except ValidationError:
        return None


def disk_usage(finding: FindingRecord, manifest: int) -> int:
    """The room that a finding with a manifest of so many bytes takes on the disk, its folder included."""
    sizes = (manifest, *(file.size for file in finding.files))
    return _BLOCK + sum(-(-size // _BLOCK) * _BLOCK for size in sizes)
