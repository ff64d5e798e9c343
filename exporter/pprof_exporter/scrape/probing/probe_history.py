"""The last probes, for the page `/probes`. Failed probes are kept longer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from pprof_exporter.catalog import ProbeResult


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """One probe: when it began (Unix time), how many seconds it took, how it ended and why, and its log."""

    number: int
    target: str
    module: str
    began: float
    took: float
    result: ProbeResult
    reason: str
    log: str


class ProbeHistory:
    """The last `size` probes, and up to `size` older failed ones."""

    def __init__(self, size: int) -> None:
        self._numbers = count(1)
        self._recent: deque[ProbeRecord] = deque(maxlen=size)
        self._failed: deque[ProbeRecord] = deque(maxlen=size)

    def next_number(self) -> int:
        """The number of the next entry."""
        return next(self._numbers)

    def add(self, entry: ProbeRecord) -> None:
        """Add an entry. A failed one is kept longer than a successful one."""
        if len(self._recent) == self._recent.maxlen and self._recent[0].result is not ProbeResult.UP:
            self._failed.append(self._recent[0])
        self._recent.append(entry)

    def resize(self, size: int) -> None:
        """Change the number of entries."""
        if size != self._recent.maxlen:
            self._recent, self._failed = deque(self._recent, maxlen=size), deque(self._failed, maxlen=size)

    def entries(self) -> list[ProbeRecord]:
        """Newest first."""
        return [*reversed(self._recent), *reversed(self._failed)]

    def find(self, number: int) -> ProbeRecord | None:
        """The entry with this number; None if it was removed."""
        everything: Iterable[ProbeRecord] = self.entries()
        return next((entry for entry in everything if entry.number == number), None)
