"""Folders of findings: written completely or not at all, even if the program is killed.

Everything here raises `OSError`; `EvidenceStore` catches it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pprof_exporter.evidence_store.finding import FINDING_MANIFEST, SavedFinding, allocated

_UNFINISHED = ".unfinished-"
_CORRUPT = ".corrupt-"
_LOCK = "lock"
MAX_CORRUPT_FINDINGS = 3
"""How many damaged findings are kept beside the others."""
MAX_MANIFEST_BYTES = 2**20
"""A manifest has a few KiB, most of it labels."""
# Names of findings are used in URLs and headers.
_NAME = re.compile(r"[A-Za-z0-9-]+")
# As `EvidenceStore` names them.
_ID = re.compile(r"\d{8}-\d{6}-[A-Za-z0-9-]*-[0-9a-f]{8}")
# Errors that say nothing about a file.
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN}
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class RootLocked(OSError):
    """Another process has locked the folder."""


def lock_root(root: Path) -> IO[bytes]:
    """Create the folder if needed, and lock it until the returned file is closed."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (root / _LOCK).is_dir():
        set_aside(root, _LOCK)
    handle = (root / _LOCK).open("ab")
    try:
        _lock(handle)
    except BaseException:
        handle.close()
        raise
    return handle


def is_there(root: Path) -> bool:
    """Whether the locked folder still exists."""
    return (root / _LOCK).exists()


def _lock(handle: IO[bytes]) -> None:
    # The system releases the lock when the process ends, in whatever way.
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only there

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not there

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise RootLocked(
            error.errno, "another exporter uses this evidence folder; set another --storage.path"
        ) from error


def remove_unfinished(root: Path) -> list[OSError]:
    """Remove the unfinished folders of a killed program. Returns what went wrong with those that stay."""
    errors = []
    for path in list(root.iterdir()):
        if path.name.startswith(_UNFINISHED):
            try:
                _remove(path)
            except OSError as error:
                errors.append(error)
    return errors


def read_folders(root: Path) -> Iterator[tuple[Path, SavedFinding | None]]:
    """Every finding; None for one that is not as it was written. Other files and folders are ignored.

    A folder with a manifest is a finding, and so is whatever has the name of one.
    """
    for path in sorted(root.iterdir()):
        if _NAME.fullmatch(path.name) and not path.is_symlink() and (_is_named(path) or _has_manifest(path)):
            yield path, _read_folder(path)


def _is_named(path: Path) -> bool:
    return _ID.fullmatch(path.name) is not None


def _has_manifest(path: Path) -> bool:
    try:
        return path.is_dir() and (path / FINDING_MANIFEST).is_file()
    except OSError:
        return False


def _read_folder(path: Path) -> SavedFinding | None:
    if not _has_manifest(path):
        return None
    try:
        with (path / FINDING_MANIFEST).open("rb") as file:
            manifest = file.read(MAX_MANIFEST_BYTES + 1)
        from pprof_exporter.evidence_store.manifest import decode_manifest  # noqa: PLC0415 - see there

        finding = decode_manifest(manifest) if len(manifest) <= MAX_MANIFEST_BYTES else None
        if finding is None or not all(_has_size(path / file.name, file.size) for file in finding.files):
            return None
    except OSError as error:
        if error.errno in _PASSING:
            raise
        return None
    return SavedFinding.of(path.name, finding, manifest)


def _has_size(file: Path, size: int) -> bool:
    return not file.is_symlink() and file.is_file() and file.stat().st_size == size


def set_aside(root: Path, name: str) -> Path:
    """Move a damaged finding aside, for whoever wants to look at it; returns the new path. The oldest of many go."""
    target = root / f"{_CORRUPT}{name}"
    _remove(target)
    (root / name).rename(target)
    aside = sorted(_aside(root), key=lambda path: path.lstat().st_mtime)
    for old in [path for path in aside if path != target][: 1 - MAX_CORRUPT_FINDINGS]:
        _remove(old)
    return target


def remove_aside(root: Path) -> None:
    """Remove the damaged findings that were set aside."""
    for path in list(_aside(root)):
        _remove(path)


def aside_bytes(root: Path) -> int:
    """Disk space of the damaged findings that were set aside."""
    found = list(_aside(root))
    sizes = (file.lstat().st_size for path in found for file in (path, *path.rglob("*")))
    return sum(allocated(size) for size in sizes)


def _aside(root: Path) -> Iterator[Path]:
    return (path for path in root.iterdir() if path.name.startswith(_CORRUPT))


def _remove(path: Path) -> None:
    """Remove a file or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_folder(root: Path, name: str, contents: Iterable[tuple[str, bytes]]) -> None:
    """Write a folder with these files. It appears only when all of them are on disk."""
    unfinished = root / f"{_UNFINISHED}{name}"
    try:
        unfinished.mkdir(mode=0o700)
        for file, data in contents:
            with os.fdopen(os.open(unfinished / file, _NEW, 0o600), "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
        _sync(unfinished)
        unfinished.rename(root / name)
        _sync(root)
    except OSError:
        for path in (unfinished, root / name):
            shutil.rmtree(path, ignore_errors=True)
        raise


def remove_folder(root: Path, name: str) -> None:
    """Remove a folder. It is renamed first, so that it is never seen half removed."""
    unfinished = root / f"{_UNFINISHED}{name}"
    with contextlib.suppress(FileNotFoundError):
        _remove(unfinished)
        (root / name).rename(unfinished)
        _remove(unfinished)


def _sync(folder: Path) -> None:
    """Write the entries of a folder to disk. Windows does so itself, and cannot open folders."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
