"""The manifest of a saved finding, and the raw profiles that show it."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from enum import StrEnum

FINDING_MANIFEST = "manifest.json"
SEALED_VERSION = 2
"""From this version on, a manifest has a digest of itself."""
# Disk space is allocated in blocks of this size.
_BLOCK = 4096
_GZIP = b"\x1f\x8b"


class Origin(StrEnum):
    """Why profiles were saved."""

    FINDING = "finding"
    """A verdict turned bad."""
    ALERT = "alert"
    """Alertmanager requested a capture."""


class ProfileRole(StrEnum):
    """The relation of a profile to a finding."""

    SHOWS = "shows"
    """From the time of the finding."""
    BEFORE = "before"
    """The last one before the finding."""


@dataclass(frozen=True, slots=True)
class RawProfile:
    """The body of a reply as received; `asked_at` is the Unix time of the request."""

    kind: str
    asked_at: float
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile within a finding. `name` is that of the file, `size` in bytes, `asked_at` Unix time."""

    name: str
    kind: str
    asked_at: float
    sha256: str
    size: int
    role: ProfileRole

    def matches(self, data: bytes) -> bool:
        """Whether `data` is what was written."""
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Process:
    """Facts about the process; "" or "unknown": not known. `epoch`: Unix time at which its epoch was entered."""

    program: str = "unknown"
    build: str = "unknown"
    go: str = "unknown"
    system: str = "unknown"
    epoch: float | None = None
    fingerprint: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A saved finding, as in its manifest.

    `mode` is the failure mode (`F5`), "" if an alert named none; `level` is that of the verdict, or the severity of the
    alert; `said` is a sentence with figures; `runbook` a path of the exporter's pages; `at` is Unix time, and `when`
    the same for people. `missing` says by kind why a requested profile is missing.
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
    version: int = SEALED_VERSION

    def file(self, name: str) -> ProfileFile | None:
        """The file with this name; None if there is none."""
        return next((file for file in self.files if file.name == name), None)

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class SavedFinding:
    """A finding on disk. `id` is the name of its folder, `disk_bytes` the disk space that it takes.

    There are up to ten thousand, of targets that are long gone: only what they are found by is ready in memory.
    """

    id: str
    target: str
    mode: str
    at: float
    disk_bytes: int
    packed: bytes = field(repr=False)
    """The manifest, compressed: half a kilobyte, where the objects of one take eight."""

    @classmethod
    def of(cls, id_: str, finding: FindingRecord, manifest: bytes) -> SavedFinding:
        """A finding with its manifest as it is on disk."""
        size = disk_usage(finding, len(manifest))
        return cls(id_, finding.target, finding.mode, finding.at, size, zlib.compress(manifest))

    @property
    def finding(self) -> FindingRecord:
        """The whole record, which is read from the manifest each time."""
        from pprof_exporter.evidence_store.manifest import known_manifest  # noqa: PLC0415 - see there

        return known_manifest(zlib.decompress(self.packed))


def profile_file(body: RawProfile, role: ProfileRole) -> ProfileFile:
    """The file of a raw profile."""
    ending = "trace" if body.kind == "trace" else "pb.gz" if body.data.startswith(_GZIP) else "pb"
    before = "-before" if role is ProfileRole.BEFORE else ""
    digest = hashlib.sha256(body.data).hexdigest()
    return ProfileFile(f"{body.kind}{before}.{ending}", body.kind, body.asked_at, digest, len(body.data), role)


def disk_usage(finding: FindingRecord, manifest: int) -> int:
    """The disk space of a finding with a manifest of `manifest` bytes, including its folder."""
    sizes = (manifest, *(file.size for file in finding.files))
    return _BLOCK + sum(map(allocated, sizes))


def allocated(size: int) -> int:
    """The disk space of a file with so many bytes."""
    return -(-size // _BLOCK) * _BLOCK
