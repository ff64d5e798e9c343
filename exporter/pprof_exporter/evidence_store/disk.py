"""Folders of findings: written completely or not at all, even if the program is killed.

Everything here raises `OSError`; `EvidenceStore` catches it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pprof_exporter.evidence_store.finding import FINDING_MANIFEST, SavedFinding, disk_usage

_UNFINISHED = ".unfinished-"
_LOCK = "lock"
# Names of findings are used in URLs and headers.
_NAME = re.compile(r"[A-Za-z0-9-]+")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class RootLocked(OSError):
    """Another process has locked the folder."""


def lock_root(root: Path) -> IO[bytes]:
    """Create the folder if needed, and lock it until the returned file is closed."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
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


def remove_unfinished(root: Path) -> None:
    """Remove the unfinished folders of a killed program."""
    for path in list(root.iterdir()):
        if path.name.startswith(_UNFINISHED):
            shutil.rmtree(path)


def read_folders(root: Path) -> Iterator[tuple[Path, SavedFinding | None]]:
    """Every folder with a manifest; None if it is not as it was written. Other files and folders are ignored."""
    for path in sorted(root.iterdir()):
        ours = _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        if ours and (path / FINDING_MANIFEST).is_file():
            yield path, _read_folder(path)


def _read_folder(path: Path) -> SavedFinding | None:
    manifest = (path / FINDING_MANIFEST).read_bytes()
    from pprof_exporter.evidence_store.manifest import decode_manifest  # noqa: PLC0415 - see there

    finding = decode_manifest(manifest)
    if finding is None:
        return None
    for file in finding.files:
        on_disk = path / file.name
        if on_disk.is_symlink() or not on_disk.is_file() or on_disk.stat().st_size != file.size:
            return None
    return SavedFinding(path.name, finding, disk_usage(finding, len(manifest)))


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
        (root / name).rename(unfinished)
        shutil.rmtree(unfinished)


def _sync(folder: Path) -> None:
    """Write the entries of a folder to disk. Windows does so itself, and cannot open folders."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
