"""Every figure agrees with SciPy, or with its definition counted out."""

from __future__ import annotations

import math
from itertools import combinations
from random import Random
from statistics import median

import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from pprof_exporter.compare import statistics

# Few distinct values, so that there are ties.
TIED = st.integers(-3, 3).map(float)
SMALL = st.lists(TIED, min_size=1, max_size=6)
FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)


def distinct(random: Random, count: int) -> list[float]:
    return [random.lognormvariate(0, 1) for _ in range(count)]


@pytest.mark.parametrize(("one", "other"), [(1, 1), (3, 9), (7, 7), (12, 20), (40, 40)])
def test_without_ties_it_is_the_exact_test_of_scipy(one: int, other: int) -> None:
    random = Random(one * 100 + other)
    for factor in (1, 1.5, 4):
        before, after = distinct(random, one), [factor * value for value in distinct(random, other)]
        expected = scipy.stats.mannwhitneyu(before, after, alternative="two-sided", method="exact").pvalue
        assert statistics.rank_test(before, after).p == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("one", "other"), [(50, 45), (200, 30)])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_many_values_are_tested_as_scipy_does_with_the_normal_distribution(one: int, other: int, digits: int) -> None:
    random = Random(one + digits)
    before = [round(value, digits) for value in distinct(random, one)]
    after = [round(1.3 * value, digits) for value in distinct(random, other)]
    expected = scipy.stats.mannwhitneyu(before, after, alternative="two-sided", method="asymptotic").pvalue
    assert statistics.rank_test(before, after).p == pytest.approx(expected, rel=1e-9)


@given(SMALL, SMALL)
@example([0.0], [0.0])
def test_with_ties_it_counts_every_way_to_divide_the_values(before: list[float], after: list[float]) -> None:
    values = before + after
    ranks = scipy.stats.rankdata(values)
    sums = [sum(ranks[list(chosen)]) for chosen in combinations(range(len(values)), len(before))]
    seen = sum(ranks[: len(before)])
    lower = sum(one <= seen for one in sums) / len(sums)
    upper = sum(one >= seen for one in sums) / len(sums)
    found = statistics.rank_test(before, after)
    assert found.p == pytest.approx(min(1, 2 * min(lower, upper)))
    rarest = min(sums.count(min(sums)), sums.count(max(sums))) / len(sums)
    assert found.min_p == pytest.approx(min(1, 2 * rarest))


@given(st.lists(TIED, min_size=1, max_size=50), st.lists(TIED, min_size=1, max_size=50))
def test_the_test_does_not_care_which_group_comes_first(before: list[float], after: list[float]) -> None:
    there, back = statistics.rank_test(before, after), statistics.rank_test(after, before)
    assert there.p == pytest.approx(back.p)
    assert there.min_p == pytest.approx(back.min_p)
    assert 0 < there.min_p <= there.p + 1e-12 <= 1 + 1e-9


def test_equal_values_show_nothing_and_never_could() -> None:
    assert statistics.rank_test([1.0] * 10, [1.0] * 9) == statistics.RankTest(p=1.0, min_p=1.0)
    assert statistics.rank_test([1.0] * 100, [1.0] * 90) == statistics.RankTest(p=1.0, min_p=1.0)


def test_the_correction_of_holm_by_hand() -> None:
    # Holm 1979: the smallest times their number, the next times one less, and never less than the one before.
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_correction_keeps_the_order_and_lies_between_none_and_bonferroni(chances: list[float]) -> None:
    adjusted = statistics.holm(chances)
    for chance, corrected in zip(chances, adjusted, strict=True):
        assert chance <= corrected <= 1
    assert min(adjusted) == min(1.0, len(chances) * min(chances))
    pairs = sorted(zip(chances, adjusted, strict=True))
    assert [corrected for _, corrected in pairs] == sorted(adjusted)


def accepted(before: list[float], after: list[float], by: float) -> bool:
    """Whether the rank test leaves it open that values after are larger by so much."""
    tested = scipy.stats.mannwhitneyu(before, [value - by for value in after], method="exact")
    return bool(tested.pvalue > 1 - statistics.CONFIDENCE)


@pytest.mark.parametrize(("one", "other"), [(4, 4), (5, 9), (8, 8), (15, 11)])
def test_the_interval_of_a_shift_is_what_the_rank_test_leaves_open(one: int, other: int) -> None:
    random = Random(one)
    before, after = distinct(random, one), [value + 2 for value in distinct(random, other)]
    found = statistics.shift(before, after)
    assert found.low is not None
    assert found.high is not None
    step = 1e-9
    assert accepted(before, after, found.low + step)
    assert not accepted(before, after, found.low - step)
    assert accepted(before, after, found.high - step)
    assert not accepted(before, after, found.high + step)
    assert found.low <= found.value <= found.high


def test_three_values_a_side_have_no_interval() -> None:
    assert statistics.shift([1, 2, 3], [4, 5, 6]) == statistics.Estimate(3, None, None)
    assert statistics.shift([1, 2, 3, 4], [4, 5, 6, 7]).low == 0


@given(st.lists(FLOATS, min_size=1, max_size=12), st.lists(FLOATS, min_size=1, max_size=12))
def test_a_shift_turns_its_sign_with_the_groups(before: list[float], after: list[float]) -> None:
    there, back = statistics.shift(before, after), statistics.shift(after, before)
    assert there.value == pytest.approx(-back.value)
    if there.low is None:
        assert back.high is None
    else:
        assert there.low == pytest.approx(-back.high if back.high is not None else math.nan)


@given(st.lists(FLOATS, min_size=4, max_size=12), FLOATS)
def test_what_was_moved_is_found_again(values: list[float], by: float) -> None:
    found = statistics.shift(values, [value + by for value in values])
    assert found.low is not None
    assert found.high is not None
    assert found.low - 1e-6 <= by <= found.high + 1e-6


def test_a_ratio_is_a_factor_between_positive_values() -> None:
    before = [1.0, 1.1, 1.2, 1.3, 1.4]
    found = statistics.ratio(before, [3 * value for value in before])
    assert found is not None
    assert found.value == pytest.approx(3)
    assert found.low is not None
    assert 1 < found.low < 3
    assert statistics.ratio([0.0, 1.0], [1.0, 2.0]) is None


@pytest.mark.parametrize("count", [90, 120, 400])
def test_intervals_of_many_values_are_close_to_those_that_are_counted_out(count: int) -> None:
    random = Random(count)
    values = distinct(random, count)
    found = statistics.median(values)
    inside = sum(1 for value in values if found.low is not None and found.high is not None and found.low <= value)
    expected = scipy.stats.binom.ppf(1 - (1 - statistics.CONFIDENCE) / 2, count, 0.5)
    assert inside == pytest.approx(expected, abs=2)


def test_the_interval_of_a_median_needs_six_values() -> None:
    assert statistics.median([1, 2, 3, 4, 5]) == statistics.Estimate(3, None, None)
    assert statistics.median([1, 2, 3, 4, 5, 6]) == statistics.Estimate(3.5, 1, 6)
    # Order statistics 2 and 9 of 10 (Conover, table A3).
    assert statistics.median(range(1, 11)) == statistics.Estimate(5.5, 2, 9)


@pytest.mark.parametrize("sizes", [(6, 6), (10, 7), (12, 12)])
def test_intervals_hold_what_they_promise(sizes: tuple[int, int]) -> None:
    random = Random(20)
    shifts = medians = 0
    for _ in range(1000):
        before = distinct(random, sizes[0])
        after = [value + 0.5 for value in distinct(random, sizes[1])]
        moved, middle = statistics.shift(before, after), statistics.median(before)
        shifts += moved.low is not None and moved.high is not None and moved.low <= 0.5 <= moved.high
        medians += middle.low is not None and middle.high is not None and middle.low <= 1 <= middle.high
    # Three standard deviations of a share of 0.95 in 1,000.
    assert min(shifts, medians) >= 950 - 21


@given(st.lists(TIED, min_size=1, max_size=30), st.lists(TIED, min_size=1, max_size=30))
def test_dominance_is_the_statistic_of_the_rank_test(before: list[float], after: list[float]) -> None:
    expected = 2 * scipy.stats.mannwhitneyu(after, before).statistic / (len(before) * len(after)) - 1
    assert statistics.dominance(before, after) == pytest.approx(expected)


def test_quartiles_are_those_of_numpy() -> None:
    assert statistics.quartiles([1.0, 2.0, 3.0, 4.0]) == (1.75, 3.25)
    assert statistics.quartiles([2.0]) == (2.0, 2.0)


def test_nothing_is_said_of_no_values() -> None:
    for call in (statistics.rank_test, statistics.shift, statistics.ratio, statistics.dominance):
        with pytest.raises(ValueError, match="cannot be compared"):
            call([], [1.0])


@pytest.mark.parametrize("size", [5, 7, 10, 30])
def test_the_interval_of_a_change_of_medians_holds_it_nearly_always(size: int) -> None:
    random = Random(3)
    held = 0
    for _ in range(400):
        before = [random.lognormvariate(0, 0.3) for _ in range(size)]
        after = [2 * random.lognormvariate(0, 0.3) for _ in range(size)]
        found = statistics.ratio_of_medians(before, after)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.value == pytest.approx(median(after) / median(before))
        held += found.low <= 2 <= found.high
    assert held >= 0.92 * 400


def test_few_values_have_a_change_of_medians_without_an_interval() -> None:
    assert statistics.change_of_medians([1, 2, 3, 4], [2, 3, 4, 5, 6]) == statistics.Estimate(1.5, None, None)
    assert statistics.ratio_of_medians([1, 0, 2], [2, 3, 4]) is None
