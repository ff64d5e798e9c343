"""The last latencies of one thing that is fetched, for a person to look at."""

from __future__ import annotations

import math
from array import array

_KEPT = 60


class History:
    """A ring of the last 60 fetches: latency in seconds, or None of one that failed. A few hundred bytes in all."""

    __slots__ = ("_next", "_ring")

    def __init__(self) -> None:
        self._ring = array("f")
        self._next = 0

    def add(self, seconds: float | None) -> None:
        """Note how one fetch ended."""
        value = math.nan if seconds is None else seconds
        if len(self._ring) < _KEPT:
            self._ring.append(value)
        else:
            self._ring[self._next] = value
        self._next = (self._next + 1) % _KEPT

    def latest(self) -> list[float | None]:
        """Oldest first."""
        values = self._ring[self._next :] + self._ring[: self._next] if len(self._ring) == _KEPT else self._ring
        return [None if math.isnan(value) else value for value in values]
