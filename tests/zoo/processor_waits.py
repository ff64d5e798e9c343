"""How often a process had work and no processor, as Linux counts it: what comes late for that is not its own doing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME

_EVERY = 0.05
_SPAN = 0.5
"""Seconds between two timers by which the exporter measures its lag."""
_LONG = 0.8 * THRESHOLDS_BY_NAME["loop_lag"].value
"""Seconds of waiting that are most of what makes a timer late."""


class ProcessorWaits:
    """Counts the half seconds in which the first thread of a process waited long for a processor.

    The event loop of the exporter runs in that thread.
    """

    def __init__(self, pid: int) -> None:
        self.long = 0
        self._schedstat = Path(f"/proc/{pid}/schedstat")
        self._seen: deque[tuple[float, float]] = deque()

    def look(self) -> None:
        """Take in what Linux has counted up to now.

        That is nanoseconds of running, and of waiting as far as it has ended (Documentation/scheduler/sched-stats.rst).
        """
        now, waited = time.monotonic(), int(self._schedstat.read_text().split()[1]) / 1e9
        self._seen.append((now, waited))
        while len(self._seen) > 2 and now - self._seen[1][0] > _SPAN:
            self._seen.popleft()
        begun, before = self._seen[0]
        if waited - before >= _LONG and now - begun >= _SPAN:
            self.long += 1
            self._seen = deque([(now, waited)])


@contextlib.contextmanager
def counted(pid: int) -> Iterator[ProcessorWaits]:
    """Count while the block runs."""
    waits, done = ProcessorWaits(pid), threading.Event()

    def watch() -> None:
        # The process may end before the block does.
        with contextlib.suppress(OSError):
            while not done.wait(_EVERY):
                waits.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()
