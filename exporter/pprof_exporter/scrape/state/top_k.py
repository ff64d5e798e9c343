"""The largest members of a ranking, held for a while so that their series do not flap."""

from __future__ import annotations

OTHER = "other"
_LONGEST_NAME = 200


class TopK:
    """At most twice `limit` names: the largest of now, and those that were among them within `hold` rounds."""

    def __init__(self, limit: int, hold: int = 10) -> None:
        self._limit = limit
        self._hold = hold
        self._age: dict[str, int] = {}

    def update(self, weights: dict[str, float]) -> dict[str, float]:
        """Value of each member, and of all the rest under `other`; the values sum up to the whole."""
        weights = _shortened(weights)
        top = sorted(weights, key=lambda name: (-weights[name], name))[: self._limit]
        ages = {name: age + 1 for name, age in self._age.items() if age < self._hold}
        ages.update(dict.fromkeys(top, 0))
        kept = sorted(ages, key=lambda name: (ages[name], -weights.get(name, 0), name))[: 2 * self._limit]
        self._age = {name: ages[name] for name in kept}
        members = {name: weights.get(name, 0) for name in kept}
        return members | {OTHER: sum(weight for name, weight in weights.items() if name not in members)}


def largest(weights: dict[str, float], limit: int) -> dict[str, float]:
    """The `limit` largest alone, without a remainder."""
    short = _shortened(weights)
    return {name: short[name] for name in sorted(short, key=lambda name: (-short[name], name))[:limit]}


def _shortened(weights: dict[str, float]) -> dict[str, float]:
    if all(len(name) <= _LONGEST_NAME for name in weights):
        return weights
    short: dict[str, float] = {}
    for name, weight in weights.items():
        # Names of generic functions grow without bound; the beginning tells them apart well enough.
        key = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        short[key] = short.get(key, 0) + weight
    return short
