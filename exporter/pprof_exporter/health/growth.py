"""F10 and F12: functions whose goroutines or live heap grow with every profile.

A level does not show a leak, and a difference over an hour needs an hour. A function that grew with each of several
profiles in a row is reported at once; a sawtooth, or traffic that comes and goes, falls in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise

RISES = 5
"""Profiles in a row in each of which a function must have grown."""

# After this number of profiles without any difference, earlier growth has ended.
_AT_REST = 10


class GrowthTracker:
    """Holds the values by function of the latest profiles, and finds the functions that grew with every one.

    `at_least` is the minimum growth in all. With `changes_only` a profile equal to the one before does not count, like
    that of a heap between two collections.
    """

    def __init__(self, *, at_least: float, changes_only: bool) -> None:
        self._at_least = at_least
        self._changes_only = changes_only
        self._history: deque[Mapping[str, float]] = deque(maxlen=RISES + 1)
        self._unchanged = 0

    def update(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Add one profile. Returns the growth of the functions that grew in each of the last `RISES` profiles."""
        if self._changes_only and self._history and weights == self._history[-1]:
            self._unchanged += 1
            if self._unchanged >= _AT_REST:
                self._history.clear()
                self._history.append(weights)
        else:
            self._unchanged = 0
            self._history.append(weights)
        return growing(tuple(self._history), rises=RISES, at_least=self._at_least)


def growing(history: tuple[Mapping[str, float], ...], *, rises: int, at_least: float) -> dict[str, float]:
    """Functions that grew in each of the last `rises` profiles, with their growth in all if it is `at_least`.

    `history` is oldest first. It takes `rises` + 1 profiles; with fewer the result is empty. A missing function is 0.
    """
    if rises < 1 or len(history) <= rises:
        return {}
    recent = history[-rises - 1 :]
    found = {}
    for name in recent[-1]:
        values = [weights.get(name, 0) for weights in recent]
        rise = values[-1] - values[0]
        if rise >= at_least and all(later > earlier for earlier, later in pairwise(values)):
            found[name] = rise
    return found
