"""The last probes, for a person to look at; those that failed stay longer."""

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
    """The last probes of every kind, and besides them as many of the last that failed."""

    def __init__(self, size: int) -> None:
        self._numbers = count(1)
        self._recent: deque[ProbeRecord] = deque(maxlen=size)
        self._failed: deque[ProbeRecord] = deque(maxlen=size)

    def next_number(self) -> int:
        """A number for one more entry."""
        return next(self._numbers)

    def add(self, entry: ProbeRecord) -> None:
        """Keep an entry; one that failed outlives those that went well."""
        if len(self._recent) == self._recent.maxlen and self._recent[0].result is not ProbeResult.UP:
            self._failed.append(self._recent[0])
        self._recent.append(entry)

    def resize(self, size: int) -> None:
        """Keep so many from now on."""
        if size != self._recent.maxlen:
            self._recent, self._failed = deque(self._recent, maxlen=size), deque(self._failed, maxlen=size)

    def entries(self) -> list[ProbeRecord]:
        """Newest first."""
        return [*reversed(self._recent), *reversed(self._failed)]

    def find(self, number: int) -> ProbeRecord | None:
        """The entry of this number, if it is still kept."""
        everything: Iterable[ProbeRecord] = self.entries()
        return next((entry for entry in everything if entry.number == number), None)
