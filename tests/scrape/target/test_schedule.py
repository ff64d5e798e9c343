"""When to fetch: even and stable phases, ticks that are not made up for, and patience after failures."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.scrape.target.schedule import Backoff, Schedule, phase


def off_phase(distance: float) -> float:
    """Seconds from the nearest multiple of the interval of 30."""
    return (distance + 15) % 30 - 15


def test_phases_are_spread_evenly_and_stay() -> None:
    phases = [phase(f"shop-{number}:6060/heap", 30) for number in range(1000)]
    assert phases == [phase(f"shop-{number}:6060/heap", 30) for number in range(1000)]
    assert all(0 <= value < 30 for value in phases)
    assert all(60 <= sum(start <= value < start + 3 for value in phases) <= 140 for start in range(0, 30, 3))


def test_the_first_look_is_at_once_and_ticks_are_on_the_phase_after_it() -> None:
    ticks = Schedule("shop/heap", 30, now=1000)
    assert ticks.due == 1000
    ticks.advance(1000)
    assert 1015 <= ticks.due <= 1045
    assert off_phase(ticks.due - phase("shop/heap", 30)) == pytest.approx(0, abs=1e-6)


def test_a_restart_keeps_the_phase() -> None:
    one, other = Schedule("shop/heap", 30, now=1000), Schedule("shop/heap", 30, now=5000)
    one.advance(1000)
    other.advance(5000)
    assert off_phase(one.due - other.due) == pytest.approx(0, abs=1e-6)


@given(st.floats(0, 1e6), st.lists(st.floats(0, 200), max_size=20))
def test_ticks_are_an_interval_apart_and_every_missed_one_is_counted(now: float, takes: list[float]) -> None:
    ticks = Schedule("shop/heap", 30, now=now)
    ticks.advance(now)
    first, missed = ticks.due, 0
    for seconds in takes:
        missed += ticks.advance(ticks.due + seconds)
    assert (ticks.due - first) / 30 == pytest.approx(len(takes) + missed, abs=1e-3)


def test_failures_in_a_row_double_the_wait_up_to_ten_minutes_and_a_success_ends_it() -> None:
    backoff = Backoff(30, Random(1))
    waits = []
    for _ in range(8):
        backoff.failed(0)
        waits.append(next(second for second in range(2000) if not backoff.blocks(second)))
    for wait, longest in zip(waits, (60, 120, 240, 480, 600, 600, 600, 600), strict=True):
        assert 0.8 * longest <= wait <= longest + 1
    backoff.reset()
    assert not backoff.blocks(0)


def test_an_interval_beyond_ten_minutes_is_not_shortened_by_failures() -> None:
    backoff = Backoff(3600, Random(1), longest=600)
    backoff.failed(0)
    assert backoff.blocks(2800)
