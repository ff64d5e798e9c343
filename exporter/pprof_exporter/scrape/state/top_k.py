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
        top = sorted(weights, key=lambda name: (-weights[name], name))[: self._limit]
        ages = {name: age + 1 for name, age in self._age.items() if age < self._hold}
        ages.update(dict.fromkeys(top, 0))
        kept = sorted(ages, key=lambda name: (ages[name], -weights.get(name, 0), name))[: 2 * self._limit]
        self._age = {name: ages[name] for name in kept}
        members = {name: weights.get(name, 0) for name in kept}
        return members | {OTHER: sum(weight for name, weight in weights.items() if name not in members)}


def largest(weights: dict[str, float], limit: int) -> dict[str, float]:
    """The `limit` largest, without `other`."""
    short = _shortened(weights)
    return {name: short[name] for name in sorted(short, key=lambda name: (-short[name], name))[:limit]}


def _shortened(weights: dict[str, float]) -> dict[str, float]:
    if all(len(name) <= _MAX_NAME_LENGTH for name in weights):
        return weights
    short: dict[str, float] = {}
    for name, weight in weights.items():
        # Names of generic functions can be of any length; the beginning distinguishes them well enough.
        key = name if len(name) <= _MAX_NAME_LENGTH else name[: _MAX_NAME_LENGTH - 1] + "…"
        short[key] = short.get(key, 0) + weight
    return short
