"""Median and mean are those of the standard library."""

from __future__ import annotations

import statistics
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.averages import mean, median

NUMBERS = st.lists(st.floats(-1e12, 1e12), min_size=1)


@given(NUMBERS)
def test_they_agree_with_statistics(values: list[float]) -> None:
    assert median(deque(values)) == statistics.median(values)
    assert mean(tuple(values)) == statistics.fmean(values)


def test_there_is_none_of_nothing() -> None:
    for average in (median, mean):
        with pytest.raises(ValueError, match="no values"):
            average([])
