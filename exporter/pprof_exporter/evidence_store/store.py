"""The ring: findings with their profiles on disk, bounded by bytes, number and age.

Room for a new finding is made before it is written, so that the bound holds at every moment. The target that holds the
most gives up its oldest finding: a noisy target pushes out what is its own, and nobody else's.
"""

from __future__ import annotations

import errno
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from pprof_exporter.evidence_store import disk
from pprof_exporter.evidence_store.finding import (
    FINDING_MANIFEST,
    BodyRole,
    FindingRecord,
    Origin,
    ProfileFile,
    RawProfile,
    SavedFinding,
    disk_usage,
    encode_manifest,
    file_of,
)

_SLUG = re.compile(r"[^A-Za-z0-9]+")


class EvidenceProblem(StrEnum):
    """What went wrong with the folder."""

    CORRUPT = "corrupt"
    """A finding was not as it was written; it was removed."""
    UNWRITABLE = "unwritable"
    """The folder cannot be read or written."""
    FULL = "full"
    """The disk is full."""
    LOCKED = "locked"
    """Another exporter keeps its evidence in this folder."""


class DropReason(StrEnum):
    """Why a finding was not kept."""

    INTERVAL = "interval"
    """The same was kept a short while ago."""
    NO_PROFILE = "no_profile"
    """There was no profile to show it."""
    TOO_LARGE = "too_large"
    """It is larger than everything may be together."""
    BUSY = "busy"
    """Too many captures were asked for at once."""
    TROUBLE = "trouble"
    """It could not be written."""


class PushOutcome(StrEnum):
    """What became of a profile that another store was to get too."""

    SUCCESS = "success"
    FAILURE = "failure"
    """The store refused it, or could not be reached for long."""
    DROPPED = "dropped"
    """Too many waited already."""


@dataclass(frozen=True, slots=True)
class EvidenceRetention:
    """What is kept at the most: bytes on the disk, seconds, findings."""

    max_bytes: int = 2**30
    max_age: float = 14 * 86400.0
    findings: int = 10_000


class EvidenceStore:
    """Use `EvidenceStore.open`. Every method may be called from any thread, and none raises what a disk can do wrong.

    `add`, `read`, `expire` and `close` take as long as the disk does: call them in a thread. All else is in memory.
    """

    def __init__(self, root: Path, policy: EvidenceRetention) -> None:
        self._root = root
        self._policy = policy
        self._lock: IO[bytes] | None = None
        self._kept: dict[str, SavedFinding] = {}
        self._disk = threading.RLock()
        self._memory = threading.Lock()
        self.troubles: Counter[EvidenceProblem] = Counter()
        """How often something went wrong with the folder, since the start."""
        self.last_trouble = ""
        """The latest of these, as a sentence without a full stop; "" if there was none."""
        self.saved: Counter[Origin] = Counter()
        """Findings that were kept, since the start."""
        self.dropped: Counter[DropReason] = Counter()
        """Findings that were not kept, since the start."""
        self.pushed: Counter[PushOutcome] | None = None
        """Profiles that another store was to get too, since the start; None if there is no other store."""

    @classmethod
    def open(cls, root: Path, policy: EvidenceRetention, now: float) -> EvidenceStore:
        """A ring in this folder, which is created if need be. `now`, here and in all methods: Unix seconds."""
        evidence_store = cls(root, policy)
        evidence_store.expire(now)
        return evidence_store

    @property
    def occupied(self) -> int:
        """The room that all findings take on the disk."""
        with self._memory:
            return sum(kept.occupies for kept in self._kept.values())

    def kept(self, target: str | None = None) -> list[SavedFinding]:
        """Everything that is kept, or that of a target, the newest first."""
        with self._memory:
            found = [kept for kept in self._kept.values() if target in (None, kept.finding.target)]
        return sorted(found, key=lambda kept: (kept.finding.at, kept.id), reverse=True)

    def find(self, id_: str) -> SavedFinding | None:
        """The finding with this id, if it is kept."""
        with self._memory:
            return self._kept.get(id_)

    def add(
        self, finding: FindingRecord, bodies: Sequence[tuple[RawProfile, BodyRole]], now: float
    ) -> SavedFinding | None:
        """Keep a finding with these profiles, of each kind and role one; None if it was dropped, which is counted."""
        if not bodies:
            return self._dropped(DropReason.NO_PROFILE)
        files = tuple(file_of(body, role) for body, role in bodies)
        finding = replace(finding, files=files)
        manifest = encode_manifest(finding)
        kept = SavedFinding(_id(finding), finding, disk_usage(finding, len(manifest)))
        if kept.occupies > self._policy.max_bytes:
            return self._dropped(DropReason.TOO_LARGE)
        contents = [
            (FINDING_MANIFEST, manifest),
            *((file.name, body.data) for file, (body, _) in zip(files, bodies, strict=True)),
        ]
        with self._disk:
            if not self._attach() or not self._make_room(kept, now):
                return self._dropped(DropReason.TROUBLE)
            try:
                disk.put(self._root, kept.id, contents)
            except OSError as error:
                self._tell(error)
                return self._dropped(DropReason.TROUBLE)
            with self._memory:
                self._kept[kept.id] = kept
                self.saved[finding.origin] += 1
        return kept

    def read(self, kept: SavedFinding, file: ProfileFile) -> bytes | None:
        """A profile; None if it is gone, or not what was written, which is counted."""
        try:
            data = (self._root / kept.id / file.name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._tell(error)
            return None
        if file.holds(data):
            return data
        self._note(EvidenceProblem.CORRUPT, f"{kept.id}/{file.name} is corrupt")
        return None

    def drop(self, reason: DropReason) -> None:
        """Count a finding that was not worth trying to keep."""
        with self._memory:
            self.dropped[reason] += 1

    def expire(self, now: float) -> None:
        """Remove what is too old or too much."""
        with self._disk:
            if self._attach():
                self._make_room(None, now)

    def close(self) -> None:
        """Let go of the folder."""
        with self._disk:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _attach(self) -> bool:
        """Take the folder and read what is there, unless that was done. False if there is no folder to work on."""
        if self._lock is not None:
            if disk.stands(self._root):
                return True
            # Somebody removed the folder.
            self.close()
        lock = None
        try:
            lock = disk.hold(self._root)
            disk.clear(self._root)
            found = dict(disk.findings(self._root))
            for path in [path for path, kept in found.items() if kept is None]:
                disk.remove(self._root, path.name)
                self._note(EvidenceProblem.CORRUPT, f"{path.name} was corrupt and was removed")
        except OSError as error:
            if lock is not None:
                lock.close()
            self._tell(error)
            return False
        self._lock = lock
        with self._memory:
            self._kept = {kept.id: kept for kept in found.values() if kept is not None}
        return True

    def _make_room(self, new: SavedFinding | None, now: float) -> bool:
        """Remove what is too old, and what stands in the way of `new`. False if that is not possible."""
        with self._memory:
            staying = dict(self._kept)
        aged = [id_ for id_, kept in staying.items() if now - kept.finding.at > self._policy.max_age]
        for id_ in aged:
            del staying[id_]
        leaving = aged + _surplus(staying, new, self._policy)
        for id_ in leaving:
            try:
                disk.remove(self._root, id_)
            except OSError as error:
                self._tell(error)
                return False
            with self._memory:
                self._kept.pop(id_, None)
        return True

    def _dropped(self, reason: DropReason) -> SavedFinding | None:
        self.drop(reason)
        return None

    def _tell(self, error: OSError) -> None:
        if isinstance(error, disk.Held):
            trouble = EvidenceProblem.LOCKED
        else:
            trouble = (
                EvidenceProblem.FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else EvidenceProblem.UNWRITABLE
            )
        self._note(trouble, f"{self._root}: {error.strerror or error}")

    def _note(self, trouble: EvidenceProblem, message: str) -> None:
        with self._memory:
            self.troubles[trouble] += 1
            self.last_trouble = message


def _surplus(staying: dict[str, SavedFinding], new: SavedFinding | None, policy: EvidenceRetention) -> list[str]:
    """What has to go so that the rest and `new` keep to the policy, in this order."""
    held: Counter[str] = Counter()
    oldest: dict[str, list[SavedFinding]] = {}
    for kept in sorted(staying.values(), key=lambda kept: (kept.finding.at, kept.id), reverse=True):
        held[kept.finding.target] += kept.occupies
        oldest.setdefault(kept.finding.target, []).append(kept)
    count = len(staying)
    if new is not None:
        held[new.finding.target] += new.occupies
        count += 1
    total, leaving = held.total(), []
    while oldest and (total > policy.max_bytes or count > policy.findings):
        # Of those that hold as much, the one whose finding is the oldest.
        target = max(oldest, key=lambda name: (held[name], -oldest[name][-1].finding.at))
        gone = oldest[target].pop()
        if not oldest[target]:
            del oldest[target]
        leaving.append(gone.id)
        held[target] -= gone.occupies
        total -= gone.occupies
        count -= 1
    return leaving


def _id(finding: FindingRecord) -> str:
    """A name that sorts by time, tells a person something, and is nobody else's."""
    when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(finding.at))
    words = _SLUG.sub("-", f"{finding.target} {finding.mode or finding.alert}").strip("-")[:48].strip("-")
    return f"{when}-{words}-{secrets.token_hex(4)}"
