"""What reading the CPU time costs a target is learned, and is not the target's use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime, CpuUse, ReadingCost, use_between

WINDOW = 5.0
LIGHT = CpuUse(0.1, CpuSource.METRICS)
PAGE = CpuTime(10.0, 100.0, 50.0, CpuSource.METRICS)


def learned(*costs: float, cost: ReadingCost | None = None) -> ReadingCost:
    """What two readings in a row, 20 ms apart, have taught; in between a light target uses 0.4 ms."""
    cost = cost or ReadingCost()
    cost.used(LIGHT, WINDOW)
    for seconds in costs:
        cost.record(PAGE, replace(PAGE, at=PAGE.at + 0.02, seconds=PAGE.seconds + seconds))
    return cost


def test_the_cost_of_a_reading_is_not_used_by_the_target() -> None:
    after = replace(PAGE, seconds=10.05, at=105.0)
    use = use_between(PAGE, after, WINDOW, 0.02)
    assert use is not None
    assert use.seconds == pytest.approx(0.03)
    # A target that shows less than the reading costs, by the steps of its clock, used nothing.
    assert use_between(PAGE, replace(after, seconds=10.01), WINDOW, 0.02) == CpuUse(0.0, CpuSource.METRICS)


def test_steps_of_ten_milliseconds_become_a_mean_of_fewer() -> None:
    cost = learned(*[0.01, 0.0, 0.0, 0.01] * 5)
    assert cost.seconds == pytest.approx(0.005 - 0.0004)


def test_a_few_estimates_are_none() -> None:
    assert learned(*[0.01] * 19).seconds is None


def test_a_page_that_costs_next_to_nothing_costs_nothing() -> None:
    assert learned(*[0.0] * 20).seconds == 0.0


def test_the_latest_count() -> None:
    assert learned(*[0.01] * 20, *[0.03] * 20).seconds == pytest.approx(0.0296)


def test_it_is_learned_from_light_targets_only_and_then_refreshed_now_and_then() -> None:
    cost = ReadingCost()
    assert not cost.is_due()  # Nothing is known of its load.
    cost.used(replace(LIGHT, seconds=2.6), WINDOW)
    assert not cost.is_due()
    cost.used(LIGHT, WINDOW)
    assert cost.is_due()
    learned(*[0.01] * 20, cost=cost)
    assert [cost.is_due() for _ in range(20)].count(True) == 2
    cost.used(None, WINDOW)
    assert not any(cost.is_due() for _ in range(10))


@pytest.mark.parametrize(
    "second",
    [None, replace(PAGE, source=CpuSource.PROCESS), replace(PAGE, started=60.0)],
    ids=["missing", "another source", "another process"],
)
def test_readings_that_cannot_be_compared_teach_nothing(second: CpuTime | None) -> None:
    cost = learned(*[0.01] * 19)
    cost.record(PAGE, second)
    assert cost.seconds is None


def test_another_process_is_learned_anew() -> None:
    cost = learned(*[0.01] * 20)
    cost.reset()
    assert cost.seconds is None
    assert not cost.is_due()
