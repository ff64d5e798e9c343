"""F5: what a cause takes of each profile is a median of several fetches."""

from __future__ import annotations

import pytest

from pprof_exporter.scrape.state.counters import RecentLatencies
from pprof_exporter.scrape.state.latency_differences import LatencyDifferences


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), None),
        ((9.0, 9.0), None),
        ((0.01, 9.0, 0.02), 0.02),
        ((0.01, 0.01, 9.0, 9.0, 0.01), 0.01),
        ((9.0, 9.0, 0.01, 0.02, 0.03, 0.04, 0.05), 0.03),
    ],
)
def test_a_median_needs_three_and_forgets_all_but_five(values: tuple[float, ...], expected: float | None) -> None:
    recent = RecentLatencies()
    for value in values:
        recent.add(value)

    assert recent.median == expected


def test_a_difference_is_that_to_threadcreate() -> None:
    differences = LatencyDifferences()
    differences.fetched("heap", 9.0)
    for _ in range(3):
        differences.fetched("threadcreate", 0.01)
        differences.fetched("heap", 0.31)
        differences.fetched("goroutine", 0.02)
        differences.fetched("mutex", 9.0)
        assert differences.without_modules(0.004) == pytest.approx(0.006)

    assert differences.medians() == pytest.approx({"modules": 0.006, "heap": 0.3, "goroutines": 0.01})


def test_one_slow_request_makes_no_difference() -> None:
    differences = LatencyDifferences()
    for took in (0.01, 0.01, 5.0, 0.01, 0.01):
        differences.fetched("threadcreate", took)
        differences.fetched("heap", 0.02)

    assert differences.medians()["heap"] == pytest.approx(0.01)


def test_without_threadcreate_there_is_no_difference() -> None:
    differences = LatencyDifferences()

    assert differences.without_modules(0.1) is None
    differences.fetched("heap", 1.0)
    assert differences.medians() == {}
