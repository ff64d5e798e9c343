"""F10 and F12: growth judged in parts, over the last minutes of a process and over its whole life."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

GROWTH_PARTS = 6
"""Six parts have five steps between them, as in the rules."""
_PART_SECONDS = 120.0
_START_UP = 480.0
"""Seconds of a process that the parts of its last minutes must not reach into."""
# The life of a process is held in at most so many parts; when they are used up, two become one.
_MOST = 48


def is_steady(parts: Sequence[float], *, share: float) -> bool:
    """Whether six parts rise in each step, with at least `share` of the growth in the first two and in the last two."""
    if len(parts) != GROWTH_PARTS:
        return False
    whole = parts[-1] - parts[0]
    return (
        all(later > earlier for earlier, later in pairwise(parts))
        and parts[-1] - parts[-3] > share * whole
        and parts[2] - parts[0] > share * whole
    )


class RecentParts:
    """The means of a figure over the last six spans of two minutes."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._values: deque[tuple[float, float]] = deque(maxlen=int(2 * GROWTH_PARTS * _PART_SECONDS))

    def add(self, at: float, value: float) -> None:
        """Take in a value of `at` (Unix time)."""
        if self._began is None:
            self._began = at
        if self._values and at < self._values[-1][0]:
            # The clock was set back.
            self._values.clear()
        self._values.append((at, value))
        while self._values[0][0] <= at - GROWTH_PARTS * _PART_SECONDS:
            self._values.popleft()

    def parts(self, started: float | None = None) -> tuple[float, ...]:
        """Six means, the oldest first; empty while there are not enough values, or the first is of the start-up.

        `started` is the start of the process if it is known; otherwise it is when it was first seen.
        """
        if self._began is None or not self._values:
            return ()
        first = self._values[-1][0] - GROWTH_PARTS * _PART_SECONDS
        if first < (self._began if started is None else started) + _START_UP or first < self._began:
            return ()
        found: list[list[float]] = [[] for _ in range(GROWTH_PARTS)]
        for at, value in self._values:
            found[min(GROWTH_PARTS - 1, math.ceil((at - first) / _PART_SECONDS) - 1)].append(value)
        return tuple(sum(values) / len(values) for values in found) if all(found) else ()


class LifeParts:
    """The lowest values of a figure over the life of a process, in parts of equal length."""

    def __init__(self, interval: float) -> None:
        """`interval` is the seconds between two values, and the length of a part at first."""
        self._began: float | None = None
        self._length = self._shortest = max(interval, 1e-3)
        self._parts: list[float] = []

    def add(self, at: float, value: float) -> None:
        """Take in a value of `at` (Unix time)."""
        if self._began is None:
            self._began = at
        index = int((at - self._began) / self._length)
        if index < len(self._parts) - 1:
            # The clock was set back: what is known of the life has no order any more.
            self._began, self._length, self._parts, index = at, self._shortest, [], 0
        while index >= _MOST:
            pairs = range(0, len(self._parts), 2)
            self._parts = [min(self._parts[first : first + 2]) for first in pairs]
            self._length *= 2
            index = int((at - self._began) / self._length)
        # Where there was no value, the one before counts on.
        self._parts += self._parts[-1:] * (index - len(self._parts))
        if index < len(self._parts):
            self._parts[index] = min(self._parts[index], value)
        else:
            self._parts.append(value)

    def parts(self, *, start_up: float, least: float) -> tuple[float, ...]:
        """Six lowest values over the life without its start-up, the oldest first; empty if it is too short.

        The start-up is the first `start_up` seconds, but at most a quarter of the life. `least` is the shortest life
        that is judged, in seconds.
        """
        life = len(self._parts) * self._length
        if life < least:
            return ()
        later = self._parts[math.ceil(min(start_up, life / 4) / self._length) :]
        if len(later) < GROWTH_PARTS:
            return ()
        edges = [number * len(later) // GROWTH_PARTS for number in range(GROWTH_PARTS + 1)]
        return tuple(min(later[first:end]) for first, end in pairwise(edges))
