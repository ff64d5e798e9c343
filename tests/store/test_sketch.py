"""A sketch tells quantiles within one percent, and merging is the same as having added all values to one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.store.sketch import ACCURACY, GREATEST, MAX_BUCKETS, MAX_MAGNITUDE, SMALLEST, Sketch

measured = st.one_of(
    st.just(0.0),
    st.floats(SMALLEST, GREATEST),
    st.floats(-GREATEST, -SMALLEST),
    st.floats(0.001, 100.0),
)
samples = st.lists(measured, max_size=60)
quantiles = st.floats(0, 1)


def exact(values: Sequence[float], q: float) -> float:
    return sorted(values)[math.floor(q * (len(values) - 1))]


def assert_alike(one: Sketch, other: Sketch) -> None:
    """Equal, except for the rounding of mean and deviations."""
    assert (one.count, one._zero, one._positive, one._negative) == (
        other.count,
        other._zero,
        other._positive,
        other._negative,
    )
    if one.count:
        assert (one.minimum, one.maximum) == (other.minimum, other.maximum)
        scale = max(abs(one.minimum), abs(one.maximum))
        assert one.mean == pytest.approx(other.mean, rel=1e-9, abs=1e-12 * scale)
        assert one.stddev == pytest.approx(other.stddev, rel=1e-6, abs=1e-7 * scale)


@given(st.lists(measured, min_size=1, max_size=60), quantiles)
def test_a_quantile_is_within_one_percent_of_the_exact_value(values: list[float], q: float) -> None:
    wanted = exact(values, q)
    assert abs(Sketch.of(values).quantile(q) - wanted) <= ACCURACY * abs(wanted) * (1 + 1e-9)


@given(st.lists(measured, min_size=1, max_size=60))
def test_count_and_extremes_are_exact_and_the_moments_are_those_of_the_values(values: list[float]) -> None:
    sketch = Sketch.of(values)
    scale = max(map(abs, values))
    assert (sketch.count, sketch.minimum, sketch.maximum) == (len(values), min(values), max(values))
    assert (sketch.quantile(0), sketch.quantile(1)) == (min(values), max(values))
    assert sketch.mean == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-12 * scale)
    if len(values) > 1:
        assert sketch.stddev == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-7 * scale)


@given(samples, samples)
def test_merging_equals_adding_all_values_to_one(one: list[float], other: list[float]) -> None:
    assert_alike(Sketch.of(one).merge(Sketch.of(other)), Sketch.of(one + other))


@given(samples, samples)
def test_merging_is_commutative(one: list[float], other: list[float]) -> None:
    assert_alike(Sketch.of(one).merge(Sketch.of(other)), Sketch.of(other).merge(Sketch.of(one)))


@given(samples, samples, samples)
def test_merging_is_associative(one: list[float], two: list[float], three: list[float]) -> None:
    a, b, c = Sketch.of(one), Sketch.of(two), Sketch.of(three)
    assert_alike(a.merge(b).merge(c), a.merge(b.merge(c)))


@given(samples, samples)
def test_merging_changes_neither_side_and_shares_nothing_with_them(one: list[float], other: list[float]) -> None:
    a, b = Sketch.of(one), Sketch.of(other)
    a.merge(b).add(1.0)
    assert (a, b) == (Sketch.of(one), Sketch.of(other))


@given(samples)
def test_what_is_encoded_decodes_to_an_equal_sketch(values: list[float]) -> None:
    sketch = Sketch.of(values)
    assert Sketch.decode(sketch.encode()) == sketch


@given(st.binary(max_size=200))
def test_decoding_garbage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="sketch"):
        Sketch.decode(data)


@given(samples, st.data())
def test_one_wrong_byte_is_a_value_error(values: list[float], data: st.DataObject) -> None:
    encoded = bytearray(Sketch.of(values).encode())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="sketch"):
        Sketch.decode(bytes(encoded))


@given(samples, st.integers(1, 60))
def test_a_sketch_that_was_cut_is_a_value_error(values: list[float], cut: int) -> None:
    with pytest.raises(ValueError, match="sketch"):
        Sketch.decode(Sketch.of(values).encode()[:-cut])


def test_the_number_of_buckets_is_bounded_whatever_the_values() -> None:
    sketch = Sketch.of(sign * 10.0 ** (exponent / 200) for sign in (1, -1) for exponent in range(-20000, 20000))
    assert sketch.buckets <= MAX_BUCKETS
    assert len(sketch.encode()) < 32_000


def test_a_thousand_latencies_take_less_than_a_kibibyte() -> None:
    assert len(Sketch.of(0.02 * 1.005**step for step in range(1000)).encode()) < 1024


@given(samples)
def test_the_size_is_about_that_of_the_encoding(values: list[float]) -> None:
    sketch = Sketch.of(values)
    assert len(sketch.encode()) / 2 <= sketch.size <= 2 * len(sketch.encode())


def test_values_beyond_the_buckets_stay_between_the_extremes() -> None:
    assert Sketch.of([1e30, 2e30, 3e30]).quantile(0.5) == 1e30
    assert Sketch.of([1e-12, 2e-12, 3e-12]).quantile(0.5) == pytest.approx(0, abs=SMALLEST)


def test_the_spread_of_large_values_that_differ_little_is_not_lost() -> None:
    assert Sketch.of(1.7e9 + step for step in range(3)).stddev == pytest.approx(1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10 * MAX_MAGNITUDE])
def test_what_is_no_number_is_refused_and_leaves_no_trace(value: float) -> None:
    sketch = Sketch()
    with pytest.raises(ValueError, match="not a number"):
        sketch.add(value)
    assert sketch == Sketch()


def test_an_empty_sketch_has_no_figures() -> None:
    for figure in ("mean", "stddev", "minimum", "maximum"):
        with pytest.raises(ValueError, match="empty"):
            getattr(Sketch(), figure)
    with pytest.raises(ValueError, match="empty"):
        Sketch().quantile(0.5)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_quantile_outside_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sketch.of([1.0]).quantile(q)
