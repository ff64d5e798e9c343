"""F10 and F12: functions whose goroutines, or whose live heap, grow at every look.

A level says nothing about a leak, and a difference over an hour needs the hour. What grew at each of several looks in a
row is worth a name at once; a sawtooth, or traffic that comes and goes, falls in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise

RISES = 5
"""Looks in a row at which a function must have had more than before."""

# After so many looks without any difference, what grew before has come to rest.
_AT_REST = 10


class Growth:
    """What a ranking by function looked like at the last looks, and what grew at every one of them.

    `at_least` is what must have come on top in all. With `changes_only` a look that shows the same as the one before
    says nothing, as that of a heap between two collections.
    """

    def __init__(self, *, at_least: float, changes_only: bool) -> None:
        self._at_least = at_least
        self._changes_only = changes_only
        self._history: deque[Mapping[str, float]] = deque(maxlen=RISES + 1)
        self._unchanged = 0

    def update(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Take in one look; returns by function how much came on top, where it rose at each of the last `RISES`."""
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
    """What rose at each of the last `rises` looks, oldest first in `history`, and by how much in all if by `at_least`.

    It takes `rises` + 1 looks to see that many rises; of fewer nothing is said. What is not in a look is 0 there.
    """
    if rises < 1 or len(history) <= rises:
        return {}
    recent = history[-rises - 1 :]
    found = {}
    for name in recent[-1]:
        values = [look.get(name, 0) for look in recent]
        rise = values[-1] - values[0]
        if rise >= at_least and all(later > earlier for earlier, later in pairwise(values)):
            found[name] = rise
    return found
