"""Notice that a file was changed, by asking for its stamp: it works on every system and file system."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pprof_exporter.scrape import Clock

_LOOK_EVERY = 5.0


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with the file, also when another is put in its place; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path.stat does the same
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def watch_file(path: Path, clock: Clock, changed: Callable[[], object]) -> None:
    """Call `changed` each time that the file was changed, until cancelled. A file that is away for a moment is not."""
    known = stamp(path)
    while True:
        await clock.sleep(_LOOK_EVERY)
        now = stamp(path)
        if now is not None and now != known:
            known = now
            changed()
