"""What changes with a file: asking for it works on every system and file system."""

from __future__ import annotations

import os
from pathlib import Path

FileStamp = tuple[int, int, int]


def file_stamp(file: Path) -> FileStamp | None:
    """What changes with the file, also when another is put in its place; None if there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - Path.stat does the same
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
