"""The store of findings with their profiles on disk, bounded by bytes, number and age.

Old findings are removed before a new one is written, so that the bound always holds. The oldest finding of the target
with the most bytes is removed first: a noisy target displaces only its own findings.
"""

from __future__ import annotations

import errno
import math
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
    FindingRecord,
    Origin,
    ProfileFile,
    ProfileRole,
    RawProfile,
    SavedFinding,
    profile_file,
)

_SLUG = re.compile(r"[^A-Za-z0-9]+")


class EvidenceProblem(StrEnum):
    """Problems with the folder."""

    CORRUPT = "corrupt"
    """A finding was not as written, and was set aside; or one of its profiles was not, and is not given out."""
    UNWRITABLE = "unwritable"
    """The folder cannot be read or written."""
    FULL = "full"
    """The disk is full."""
    LOCKED = "locked"
    """Another exporter uses this folder."""
    INTERNAL = "internal"
    """An internal error of the exporter stopped saving. It was started again."""


class DropReason(StrEnum):
    """Why a finding was not saved."""

    INTERVAL = "interval"
    """Evidence of the same was saved recently."""
    NO_PROFILE = "no_profile"
    """There was no profile."""
    TOO_LARGE = "too_large"
    """It alone exceeds the bound."""
    BUSY = "busy"
    """Too many captures were requested at once."""
    TROUBLE = "trouble"
    """It could not be written."""


class PushOutcome(StrEnum):
    """The outcome of a push to another store."""

    SUCCESS = "success"
    FAILURE = "failure"
    """The store refused the profile, or was not reachable."""
    DROPPED = "dropped"
    """The queue was full."""


@dataclass(frozen=True, slots=True)
class EvidenceRetention:
    """Limits: bytes on disk, age in seconds, number of findings."""

    max_bytes: int = 2**30
    max_age: float = 14 * 86400.0
    findings: int = 10_000


class EvidenceStore:
    """Use `EvidenceStore.open`. Thread-safe. No method raises errors of the disk: they are counted.

    `add`, `read`, `expire` and `close` access the disk: call them in a thread. All other methods use memory only.
    """

    def __init__(self, root: Path, policy: EvidenceRetention) -> None:
        self._root = root
        self._policy = policy
        self._lock: IO[bytes] | None = None
        self._findings: dict[str, SavedFinding] = {}
        self._damaged: set[tuple[str, str]] = set()
        """Files that are known not to be as written, by finding and name."""
        self._aside = 0
        """Disk space of the findings that were set aside."""
        self._disk = threading.RLock()
        self._memory = threading.Lock()
        self.troubles: Counter[EvidenceProblem] = Counter()
        """Problems with the folder since the start."""
        self.last_trouble = ""
        """The latest problem, as a sentence without a full stop; "" if there was none."""
        self.saved: Counter[Origin] = Counter()
        """Findings saved since the start."""
        self.dropped: Counter[DropReason] = Counter()
        """Findings not saved since the start."""
        self.pushed: Counter[PushOutcome] | None = None
        """Profiles pushed to another store since the start; None without another store."""

    @classmethod
    def open(cls, root: Path, policy: EvidenceRetention, now: float) -> EvidenceStore:
        """Open a store in this folder, which is created if needed. `now` is Unix time here and in all methods."""
        evidence_store = cls(root, policy)
        evidence_store.expire(now)
        return evidence_store

    @property
    def disk_bytes(self) -> int:
        """The disk space of all findings, in bytes."""
        with self._memory:
            return sum(saved.disk_bytes for saved in self._findings.values())

    def findings(self, target: str | None = None, since: float = -math.inf) -> list[SavedFinding]:
        """All findings, or those of a target, or since a Unix time, newest first."""
        with self._memory:
            found = [saved for saved in self._findings.values() if target in (None, saved.target) and saved.at >= since]
        return sorted(found, key=lambda saved: (saved.at, saved.id), reverse=True)

    def find(self, id_: str) -> SavedFinding | None:
        """The finding with this id; None if there is none."""
        with self._memory:
            return self._findings.get(id_)

    def add(
        self, finding: FindingRecord, bodies: Sequence[tuple[RawProfile, ProfileRole]], now: float
    ) -> SavedFinding | None:
        """Save a finding with these profiles, one of each kind and role; None if it was dropped, which is counted."""
        if not bodies:
            return self._dropped(DropReason.NO_PROFILE)
        files = tuple(profile_file(body, role) for body, role in bodies)
        finding = replace(finding, files=files)
        from pprof_exporter.evidence_store.manifest import encode_manifest  # noqa: PLC0415 - see there

        manifest = encode_manifest(finding)
        saved = SavedFinding.of(_id(finding), finding, manifest)
        if saved.disk_bytes > self._policy.max_bytes or len(manifest) > disk.MAX_MANIFEST_BYTES:
            return self._dropped(DropReason.TOO_LARGE)
        contents = [
            (FINDING_MANIFEST, manifest),
            *((file.name, body.data) for file, (body, _) in zip(files, bodies, strict=True)),
        ]
        with self._disk:
            if not self._attach() or not self._make_room(saved, now):
                return self._dropped(DropReason.TROUBLE)
            try:
                disk.write_folder(self._root, saved.id, contents)
            except OSError as error:
                self._report(error)
                return self._dropped(DropReason.TROUBLE)
            with self._memory:
                self._findings[saved.id] = saved
                self.saved[finding.origin] += 1
        return saved

    def read(self, saved: SavedFinding, file: ProfileFile) -> bytes | None:
        """The content of a file; None if it is gone, or not as written, which is counted once."""
        path = self._root / saved.id / file.name
        try:
            data = path.read_bytes() if path.stat().st_size == file.size else b""
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            if not path.parent.is_dir():
                return None
            data = b""
        except OSError as error:
            self._report(error)
            return None
        if file.matches(data):
            return data
        with self._memory:
            known = (saved.id, file.name) in self._damaged
            if saved.id in self._findings:
                self._damaged.add((saved.id, file.name))
        if not known:
            self._count_trouble(EvidenceProblem.CORRUPT, f"{saved.id}/{file.name} is corrupt")
        return None

    def count_dropped(self, reason: DropReason) -> None:
        """Count a finding that was dropped without an attempt to save it."""
        with self._memory:
            self.dropped[reason] += 1

    def expire(self, now: float) -> None:
        """Remove findings beyond the limits."""
        with self._disk:
            if self._attach():
                self._make_room(None, now)

    def close(self) -> None:
        """Unlock the folder."""
        with self._disk:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _attach(self) -> bool:
        """Lock the folder and read its findings, unless done before. False if the folder cannot be used."""
        if self._lock is not None:
            if disk.is_there(self._root):
                return True
            # The folder was removed.
            self.close()
        lock = None
        try:
            lock = disk.lock_root(self._root)
            for error in disk.remove_unfinished(self._root):
                self._report(error)
            found = dict(disk.read_folders(self._root))
            for path in [path for path, saved in found.items() if saved is None]:
                self._set_aside(path.name)
            self._aside = disk.aside_bytes(self._root)
        except OSError as error:
            if lock is not None:
                lock.close()
            self._report(error)
            return False
        self._lock = lock
        with self._memory:
            self._findings = {saved.id: saved for saved in found.values() if saved is not None}
            self._damaged.clear()
        return True

    def _set_aside(self, name: str) -> None:
        try:
            path = disk.set_aside(self._root, name)
        except OSError as error:
            self._report(error)
            return
        self._count_trouble(EvidenceProblem.CORRUPT, f"{name} was corrupt and was moved to {path.name}")

    def _make_room(self, new: SavedFinding | None, now: float) -> bool:
        """Remove findings that are too old, and those that leave no room for `new`. False if that fails."""
        with self._memory:
            staying = dict(self._findings)
        aged = [id_ for id_, saved in staying.items() if now - saved.at > self._policy.max_age]
        for id_ in aged:
            del staying[id_]
        if self._aside:
            self._make_room_aside(staying, new)
        leaving = aged + _surplus(staying, new, self._policy)
        for id_ in leaving:
            try:
                disk.remove_folder(self._root, id_)
            except OSError as error:
                self._report(error)
                return False
            with self._memory:
                self._findings.pop(id_, None)
                self._damaged = {known for known in self._damaged if known[0] != id_}
        return True

    def _make_room_aside(self, staying: dict[str, SavedFinding], new: SavedFinding | None) -> None:
        """Remove what was set aside, before any finding, if there is no room for it."""
        held = sum(saved.disk_bytes for saved in staying.values()) + (new.disk_bytes if new else 0)
        if held + self._aside > self._policy.max_bytes:
            # What cannot be removed now stays until the next start, and keeps nothing else from being saved.
            self._aside = 0
            try:
                disk.remove_aside(self._root)
            except OSError as error:
                self._report(error)

    def _dropped(self, reason: DropReason) -> SavedFinding | None:
        self.count_dropped(reason)
        return None

    def _report(self, error: OSError) -> None:
        if isinstance(error, disk.RootLocked):
            trouble = EvidenceProblem.LOCKED
        else:
            trouble = (
                EvidenceProblem.FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else EvidenceProblem.UNWRITABLE
            )
        self._count_trouble(trouble, f"{self._root}: {error.strerror or error}")

    def _count_trouble(self, trouble: EvidenceProblem, message: str) -> None:
        with self._memory:
            self.troubles[trouble] += 1
            self.last_trouble = message


def _surplus(staying: dict[str, SavedFinding], new: SavedFinding | None, policy: EvidenceRetention) -> list[str]:
    """The findings to remove, in this order, so that the rest and `new` are within the limits."""
    held: Counter[str] = Counter()
    oldest: dict[str, list[SavedFinding]] = {}
    for saved in sorted(staying.values(), key=lambda saved: (saved.at, saved.id), reverse=True):
        held[saved.target] += saved.disk_bytes
        oldest.setdefault(saved.target, []).append(saved)
    count = len(staying)
    if new is not None:
        held[new.target] += new.disk_bytes
        count += 1
    total, leaving = held.total(), []
    while oldest and (total > policy.max_bytes or count > policy.findings):
        # Of targets with equal bytes, the one with the oldest finding.
        target = max(oldest, key=lambda name: (held[name], -oldest[name][-1].at))
        gone = oldest[target].pop()
        if not oldest[target]:
            del oldest[target]
        leaving.append(gone.id)
        held[target] -= gone.disk_bytes
        total -= gone.disk_bytes
        count -= 1
    return leaving


def _id(finding: FindingRecord) -> str:
    """A unique name that sorts by time and is readable."""
    when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(finding.at))
    words = _SLUG.sub("-", f"{finding.target} {finding.mode or finding.alert}").strip("-")[:48].strip("-")
    return f"{when}-{words}-{secrets.token_hex(4)}"
