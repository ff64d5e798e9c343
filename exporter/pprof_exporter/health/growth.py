"""F10 and F12: functions whose goroutines or live heap grow with every profile.

A level does not show a leak, and a difference over an hour needs an hour. A function that grew with each of several
profiles in a row is reported at once; a sawtooth, or traffic that comes and goes, falls in between.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Mapping
from typing import NamedTuple

RISES = 5
"""Profiles in a row in each of which a function must have grown."""

# After this number of profiles without any difference, earlier growth has ended.
_AT_REST = 10


class GrowthTracker:
    """Finds the functions that grew in each of the latest profiles.

    `at_least` is the minimum growth in all. With `changes_only` a profile equal to the one before does not count, like
    that of a heap between two collections.

    A large program has hundreds of functions, and every target has two trackers. So of older profiles only the values
    are kept that can still be the beginning of a growth, and no object for each number.
    """

    def __init__(self, *, at_least: float, changes_only: bool) -> None:
        self._at_least = at_least
        self._changes_only = changes_only
        self._latest: _Values | None = None
        self._earlier: list[_Values] = []
        """Of one, two, ... profiles before: the values of the functions that grew in each profile since."""
        self._unchanged = 0

    def update(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Add one profile. Returns the growth of the functions that grew in each of the last `RISES` profiles.

        A function that a profile lacks has the value 0; none is below.
        """
        if self._latest is None:
            self._latest = _Values.of(weights)
            return {}
        before = self._latest.by_function()
        if self._changes_only and weights == before:
            self._unchanged += 1
            if self._unchanged >= _AT_REST:
                self._earlier = []
        else:
            self._unchanged = 0
            grew = {name: least for name, value in weights.items() if value > (least := before.get(name, 0.0))}
            older = [one.of_functions(grew) for one in self._earlier[: RISES - 1]]
            self._earlier = [_Values.of(grew), *older]
            self._latest = _Values.of(weights)
        if len(self._earlier) < RISES:
            return {}
        growth = {name: weights[name] - value for name, value in self._earlier[-1].by_function().items()}
        return {name: rise for name, rise in growth.items() if rise >= self._at_least}


class _Values(NamedTuple):
    """Values by function: 16 bytes each, where a dictionary with its numbers takes a hundred."""

    names: tuple[str, ...]
    values: array[float]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> _Values:
        return cls(tuple(weights), array("d", weights.values()))

    def by_function(self) -> dict[str, float]:
        return dict(zip(self.names, self.values, strict=True))

    def of_functions(self, names: Container[str]) -> _Values:
        return self.of({name: value for name, value in zip(self.names, self.values, strict=True) if name in names})
