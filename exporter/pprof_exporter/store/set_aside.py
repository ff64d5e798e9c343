"""A corrupt file of statistics is moved aside with its logs, for whoever wants to look at it."""

from __future__ import annotations

import shutil
from pathlib import Path

MAX_CORRUPT_FILES = 3
"""How many corrupt files are kept beside the new one."""
SIDE_FILES = ("-wal", "-shm", "-journal")
"""Endings of what SQLite would apply to the next file of that name, if it stayed behind."""


def move_corrupt(path: Path, now: float) -> Path:
    """Move a corrupt file and its logs to a name with the Unix time; returns the new path. Raises OSError."""
    target = path.with_name(f"{path.name}.corrupt-{int(now)}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.corrupt-{int(now)}-{number}")
    path.rename(target)
    for suffix in SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(target.with_name(target.name + suffix))
    _remove_old_corrupt(path)
    return target


def file_id(path: Path) -> tuple[int, int] | None:
    """Device and inode, which distinguish files of the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _remove_old_corrupt(path: Path) -> None:
    """Remove old corrupt files, so that a disk that keeps corrupting files does not fill up."""
    corrupt = [
        other
        for other in path.parent.iterdir()
        if other.name.startswith(f"{path.name}.corrupt-") and not other.name.endswith(SIDE_FILES)
    ]
    for old in sorted(corrupt, key=lambda other: (other.stat().st_mtime, other.name))[:-MAX_CORRUPT_FILES]:
        for suffix in ("", *SIDE_FILES):
            side = old.with_name(old.name + suffix)
            if side.is_dir() and not side.is_symlink():
                shutil.rmtree(side)
            else:
                side.unlink(missing_ok=True)
