"""Median and mean are those of the standard library."""

from __future__ import annotations

import statistics
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.averages import mean_of, median_of

NUMBERS = st.lists(st.floats(-1e12, 1e12), min_size=1)


@given(NUMBERS)
def test_they_agree_with_statistics(values: list[float]) -> None:
    assert median_of(deque(values)) == statistics.median(values)
    assert mean_of(tuple(values)) == statistics.fmean(values)


def test_there_is_none_of_nothing() -> None:
    for average in (median_of, mean_of):
        with pytest.raises(ValueError, match="no values"):
            average([])
