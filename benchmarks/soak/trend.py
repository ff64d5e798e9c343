"""How a figure moves over time, against its own noise."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

_BLOCKS = 12
_HOUR = 3600.0
# Of a normal distribution: the standard deviation in median absolute deviations.
_MAD = 1.4826
_ERRORS = 3.0

Points = Sequence[tuple[float, float]]
"""Seconds and value."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope per hour with its standard error, and the level that it is to be seen against."""

    slope: float
    error: float
    level: float

    def rises(self, *, share: float, least: float) -> bool:
        """Whether the figure rises by more than its noise, and in an hour by more than a share of its level or `least`.

        The second condition is for figures without noise, of which one step more is a slope.
        """
        return self.slope > _ERRORS * self.error and self.slope > max(share * self.level, least)

    def __str__(self) -> str:
        return f"{self.slope:+.4g}/h ± {self.error:.2g}, level {self.level:.5g}"


def trend(points: Points) -> Trend:
    """The slope of the medians of twelve stretches of time, by Theil and Sen: a few extremes do not move it.

    Values that follow each other are alike, so single ones would seem to have less noise than there is.
    """
    blocks = _medians(points)
    slope = statistics.median((b - a) / (at_b - at_a) for (at_a, a), (at_b, b) in combinations(blocks, 2))
    start = statistics.median(value - slope * at for at, value in blocks)
    deviation = _MAD * statistics.median(abs(value - start - slope * at) for at, value in blocks)
    middle = statistics.fmean(at for at, _ in blocks)
    spread = sum((at - middle) ** 2 for at, _ in blocks) ** 0.5
    # 1.25: what the median of slopes errs more than the mean, for normal noise.
    return Trend(slope * _HOUR, 1.25 * deviation / spread * _HOUR, statistics.median(value for _, value in blocks))


def _medians(points: Points) -> list[tuple[float, float]]:
    if len(points) < 3:
        raise ValueError(f"{len(points)} samples have no trend")
    blocks = min(_BLOCKS, len(points))
    cuts = [round(number * len(points) / blocks) for number in range(blocks + 1)]
    parts = [points[begin:end] for begin, end in pairwise(cuts)]
    return [(statistics.fmean(at for at, _ in part), statistics.median(value for _, value in part)) for part in parts]
