"""Notice changes of a file by polling its stamp, which works on every system and file system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pprof_exporter.clock import Clock
from pprof_exporter.config.file_stamp import file_stamp

_LOOK_EVERY = 5.0


async def watch_file(path: Path, clock: Clock, changed: Callable[[], object]) -> None:
    """Call `changed` each time that the file was changed, until cancelled. A file that is away for a moment is not."""
    known = file_stamp(path)
    while True:
        await clock.sleep(_LOOK_EVERY)
        now = file_stamp(path)
        if now is not None and now != known:
            known = now
            changed()
