"""A stamp that changes with a file. Polling it works on every system and file system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class FileStamp(NamedTuple):
    """What changes with a file. `size` is in bytes."""

    modified_ns: int
    size: int
    inode: int


def file_stamp(file: Path) -> FileStamp | None:
    """A value that changes with the file, also when another replaces it; None if there is no file."""
    try:
        found = os.stat(file)  # noqa: PTH116 - Path.stat does the same
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return None
    return FileStamp(found.st_mtime_ns, found.st_size, found.st_ino)
