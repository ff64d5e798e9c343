"""The largest members of a ranking, kept for some rounds so that their series do not flap."""

from __future__ import annotations

OTHER = "other"
_MAX_NAME_LENGTH = 200


class TopK:
    """At most twice `limit` names: the largest now, and those that were among the largest within `hold` rounds."""

    def __init__(self, limit: int, hold: int = 10) -> None:
        self._limit = limit
        self._hold = hold
        self._age: dict[str, int] = {}

    def update(self, weights: dict[str, float]) -> dict[str, float]:
        """The value of each member, and of the rest under `other`; the values add up to the total."""
        weights = _shortened(weights)
        top = _top(weights, self._limit)
        ages = {name: age + 1 for name, age in self._age.items() if age < self._hold}
        ages.update(dict.fromkeys(top, 0))
        kept = sorted(ages, key=lambda name: (ages[name], -weights.get(name, 0), name))[: 2 * self._limit]
        self._age = {name: ages[name] for name in kept}
        members = {name: weights.get(name, 0) for name in kept}
        rest = dict(weights)
        for name in members:
            rest.pop(name, None)
        return members | {OTHER: sum(rest.values())}


def largest(weights: dict[str, float], limit: int) -> dict[str, float]:
    """The `limit` largest, without `other`."""
    short = _shortened(weights)
    return {name: short[name] for name in _top(short, limit)}


def _top(weights: dict[str, float], limit: int) -> list[str]:
    """The names of the `limit` largest, in their order; of equals, the first in the alphabet."""
    if len(weights) > limit > 0:
        # A large program has hundreds of functions. To sort numbers takes a fifth of the time for names with a key.
        least = sorted(weights.values(), reverse=True)[limit - 1]
        names = [name for name, weight in weights.items() if weight >= least]
    else:
        names = list(weights)
    return sorted(names, key=lambda name: (-weights[name], name))[:limit]


def _shortened(weights: dict[str, float]) -> dict[str, float]:
    if max(map(len, weights), default=0) <= _MAX_NAME_LENGTH:
        return weights
    short: dict[str, float] = {}
    for name, weight in weights.items():
        # Names of generic functions can be of any length; the beginning distinguishes them well enough.
        key = name if len(name) <= _MAX_NAME_LENGTH else name[: _MAX_NAME_LENGTH - 1] + "…"
        short[key] = short.get(key, 0) + weight
    return short
