"""Statistics of two small groups of values, without an assumption on their distribution, and exact for few values.

All of them use ranks. Latencies have long tails and captures have few rounds, so a test on means would show the
effect of one slow request. Tests compare each figure with SciPy (tests/compare/test_statistics.py).
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

CONFIDENCE = 0.95
"""Confidence of each interval by itself."""

EXACT_UP_TO = 80
"""Up to this number of values in both groups the null distribution is exact; above it, a normal one is as good."""

MEDIAN_FEWEST = 5
"""Values on each side from which the interval of `change_of_medians` has its confidence."""

_HALF = (1 - CONFIDENCE) / 2
_DEVIATIONS = statistics.NormalDist().inv_cdf(1 - _HALF)


@dataclass(frozen=True, slots=True)
class RankTest:
    """The two-sided Mann-Whitney test: `p` is how likely groups of one kind differ at least so much in rank.

    `min_p` is the smallest `p` that values with these ties can give. If it is large, the test cannot show a change.
    """

    p: float
    min_p: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its interval with a confidence of at least `CONFIDENCE`.

    `low` and `high` are None if there are too few values for an interval of that confidence.
    """

    value: float
    low: float | None
    high: float | None


def rank_test(before: Sequence[float], after: Sequence[float]) -> RankTest:
    """Test whether one group tends to have larger values than the other. Equal values share their rank.

    Raises ValueError if a group is empty.
    """
    _not_empty(before, after)
    small, large = (before, after) if len(before) <= len(after) else (after, before)
    ranks = _doubled_ranks([*small, *large])
    mine = sum(ranks[: len(small)])
    if len(ranks) <= EXACT_UP_TO:
        return _exact(tuple(sorted(ranks)), len(small), mine)
    return _normal(ranks, len(small), mine)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values with Holm's correction for the number of tests, in the given order.

    If those below 0.05 are called significant, at least one call is wrong in at most 5 % of all cases, whatever the
    dependence between the tests.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    stepped = [min(1.0, (len(p_values) - i) * p_values[place]) for i, place in enumerate(order)]
    adjusted = dict(zip(order, accumulate(stepped, max), strict=True))
    return [adjusted[place] for place in range(len(p_values))]


def shift(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """How much larger the values after are: the Hodges-Lehmann estimate, the median of all differences.

    The interval has all shifts that the rank test would not reject. Raises ValueError if a group is empty.
    """
    _not_empty(before, after)
    differences = sorted(late - early for late in after for early in before)
    skipped = _outside(len(before), len(after))
    middle = statistics.median(differences)
    if skipped is None:
        return Estimate(middle, None, None)
    return Estimate(middle, differences[skipped], differences[-1 - skipped])


def ratio(before: Sequence[float], after: Sequence[float]) -> Estimate | None:
    """The factor by which the values after are larger; None unless all values are positive.

    It is the `shift` of the logarithms, so that a factor and its inverse are equally far from 1. Raises ValueError if
    a group is empty.
    """
    _not_empty(before, after)
    if min(*before, *after) <= 0:
        return None
    found = shift([math.log(value) for value in before], [math.log(value) for value in after])
    low, high = (None if bound is None else math.exp(bound) for bound in (found.low, found.high))
    return Estimate(math.exp(found.value), low, high)


def median(values: Sequence[float]) -> Estimate:
    """The median with an interval from order statistics, which takes at least six values.

    Raises ValueError if there are no values.
    """
    _not_empty(values)
    ordered = sorted(values)
    middle, skipped = statistics.median(ordered), _outside_median(len(ordered))
    return (
        Estimate(middle, None, None) if skipped is None else Estimate(middle, ordered[skipped], ordered[-1 - skipped])
    )


def change_of_medians(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """The median after minus that before, with an interval that assumes no distribution.

    Unlike `shift`, it agrees with the two medians. Price and Bonett, Distribution-free confidence intervals for
    difference and ratio of medians, Journal of Statistical Computation and Simulation 72 (2002). The interval is None
    for fewer than `MEDIAN_FEWEST` values on a side. Raises ValueError if a group is empty.
    """
    _not_empty(before, after)
    change = statistics.median(after) - statistics.median(before)
    if min(len(before), len(after)) < MEDIAN_FEWEST:
        return Estimate(change, None, None)
    half = _DEVIATIONS * math.sqrt(_median_variance(before) + _median_variance(after))
    return Estimate(change, change - half, change + half)


def ratio_of_medians(before: Sequence[float], after: Sequence[float]) -> Estimate | None:
    """The median after divided by that before, as `change_of_medians` of the logarithms; None unless all are positive.

    Raises ValueError if a group is empty.
    """
    _not_empty(before, after)
    if min(*before, *after) <= 0:
        return None
    found = change_of_medians([math.log(value) for value in before], [math.log(value) for value in after])
    low, high = (None if bound is None else math.exp(bound) for bound in (found.low, found.high))
    # Of an even number of values, the median of logarithms is not the logarithm of the median.
    value = statistics.median(after) / statistics.median(before)
    return Estimate(value, None if low is None else min(low, value), None if high is None else max(high, value))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile. Raises ValueError if there are no values."""
    _not_empty(values)
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def dominance(before: Sequence[float], after: Sequence[float]) -> float:
    """Cliff's delta, -1 to 1: the share of pairs with the value after larger, minus the share with it smaller.

    Raises ValueError if a group is empty.
    """
    _not_empty(before, after)
    balance = sum((late > early) - (late < early) for late in after for early in before)
    return balance / (len(before) * len(after))


def _not_empty(*groups: Sequence[float]) -> None:
    if not all(groups):
        raise ValueError("a group without values cannot be compared")


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that the shared rank of equal values is an integer."""
    counts = Counter(values)
    doubled, seen = {}, 0
    for value in sorted(counts):
        doubled[value] = 2 * seen + counts[value] + 1
        seen += counts[value]
    return [doubled[value] for value in values]


def _exact(ranks: tuple[int, ...], size: int, mine: int) -> RankTest:
    ways = _ways(ranks, size)
    total = math.comb(len(ranks), size)
    tail = min(sum(ways[: mine + 1]), sum(ways[mine:]))
    possible = [count for count in ways if count]
    return RankTest(p=min(1.0, 2 * tail / total), min_p=min(1.0, 2 * min(possible[0], possible[-1]) / total))


@lru_cache(maxsize=512)
def _ways(ranks: tuple[int, ...], size: int) -> tuple[int, ...]:
    """How many choices of `size` of these doubled ranks have each sum, from 0 on.

    One integer packs the counts of all sums side by side, so that adding a rank is a shift and an addition.
    """
    width = (math.comb(len(ranks), size).bit_length() + 7) // 8
    chosen = [1] + [0] * size
    for i, rank in enumerate(ranks):
        for taken in range(min(i + 1, size), 0, -1):
            chosen[taken] += chosen[taken - 1] << (8 * width * rank)
    sums = sum(ranks) + 1
    packed = chosen[size].to_bytes(sums * width, "little")
    return tuple(int.from_bytes(packed[i * width : (i + 1) * width], "little") for i in range(sums))


def _normal(ranks: Sequence[int], size: int, mine: int) -> RankTest:
    """The test by the normal distribution, with corrections for ties and continuity."""
    count, other = len(ranks), len(ranks) - size
    tied = sum(times**3 - times for times in Counter(ranks).values())
    variance = size * other / 12 * (count + 1 - tied / (count * (count - 1)))
    centre = size * (count + 1) / 2

    def chance(sum_of_ranks: float) -> float:
        if not variance:
            return 1.0
        distance = max(0.0, abs(sum_of_ranks - centre) - 0.5) / math.sqrt(variance)
        return math.erfc(distance / math.sqrt(2))

    ordered = sorted(ranks)
    return RankTest(p=chance(mine / 2), min_p=chance(sum(ordered[:size]) / 2))


def _median_variance(values: Sequence[float]) -> float:
    """The variance of the median, from two of the sorted values around it."""
    ordered, count = sorted(values), len(values)
    place = max(1, round((count + 1) / 2 - math.sqrt(count)))
    outside = sum(math.comb(count, below) for below in range(place)) / 2 ** (count - 1)
    width = ordered[count - place] - ordered[place - 1]
    return (width / (2 * statistics.NormalDist().inv_cdf(1 - outside / 2))) ** 2


@lru_cache(maxsize=512)
def _outside_median(count: int) -> int | None:
    """How many sorted values lie below the interval of the median, and as many above; None: no interval."""
    if count > EXACT_UP_TO:
        return math.floor(count / 2 - _DEVIATIONS * math.sqrt(count) / 2) - 1
    below, outside = 0, -1
    for values in range(count):
        below += math.comb(count, values)
        if below > _HALF * 2**count:
            break
        outside += 1
    return None if outside < 0 else outside


@lru_cache(maxsize=512)
def _outside(one: int, other: int) -> int | None:
    """How many sorted differences lie below the interval of a shift, and as many above; None: no interval."""
    size, count = min(one, other), one + other
    if count > EXACT_UP_TO:
        spread = math.sqrt(one * other * (count + 1) / 12)
        return math.floor(one * other / 2 - _DEVIATIONS * spread) - 1
    ways = _ways(tuple(range(2, 2 * count + 1, 2)), size)
    smallest, total = size * (size + 1), math.comb(count, size)
    below, outside = 0, -1
    for statistic in range(one * other + 1):
        below += ways[smallest + 2 * statistic]
        if below > _HALF * total:
            break
        outside += 1
    return None if outside < 0 else outside
