"""What grows in every part is growing; waves, steps and what levels off are not; a start-up is no part."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health import LifeParts, RecentParts, is_steady
from pprof_exporter.health.growth_parts import GROWTH_PARTS

SHARE = 0.3
ROUND = 30.0
HOUR = 3600.0


def test_steady_growth_is_in_every_part() -> None:
    assert is_steady((0, 1, 2, 3, 4, 5), share=SHARE)
    assert is_steady((0, 2, 3, 4, 5, 7), share=SHARE)
    assert not is_steady((0, 1, 2, 2, 4, 5), share=SHARE), "a part without growth"
    assert not is_steady((0, 1, 2, 30, 31, 32), share=SHARE), "a step in the middle"
    assert not is_steady((0, 1, 2, 3, 4, 50), share=SHARE), "a step at the end"
    assert not is_steady((0, 50, 75, 87, 93, 96), share=SHARE), "it levels off"
    assert not is_steady((0, 1, 2, 3, 4), share=SHARE), "a part is missing"
    assert not is_steady((), share=SHARE)


def lived(value: Callable[[float], float], hours: float) -> tuple[float, ...]:
    life = LifeParts(ROUND)
    for number in range(int(hours * HOUR / ROUND)):
        life.add(1e9 + number * ROUND, value(number * ROUND))
    return life.parts(start_up=1800, least=1800)


@pytest.mark.parametrize("hours", [0.6, 1, 3, 5.3, 24, 100])
def test_a_life_of_any_length_has_six_parts(hours: float) -> None:
    parts = lived(lambda at: at, hours)
    assert len(parts) == GROWTH_PARTS
    assert is_steady(parts, share=SHARE)
    # The start-up is left out, and the last part reaches to the end.
    assert parts[0] >= min(1800, hours * HOUR / 5)
    assert parts[-1] > 0.75 * hours * HOUR


@pytest.mark.parametrize(
    "value",
    [
        lambda at: min(at, 60.0),
        lambda at: min(at, 1.5 * HOUR),
        lambda at: 1 - math.exp(-at / HOUR),
        lambda at: at % 600,
        lambda at: 5 * (at > 2 * HOUR) + at / 1e9,
        lambda at: 1 - math.cos(at / HOUR * math.pi / 2),
    ],
    ids=["level", "full", "levels off", "sawtooth", "step", "wave"],
)
def test_a_healthy_life_of_four_hours_does_not_grow_to_its_end(value: Callable[[float], float]) -> None:
    assert not is_steady(lived(value, 4), share=SHARE)


def test_a_short_life_is_not_judged() -> None:
    assert lived(lambda at: at, 0.4) == ()


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e9)), max_size=60))
def test_a_life_is_bounded_whatever_the_times(values: list[tuple[float, float]]) -> None:
    life = LifeParts(ROUND)
    for at, value in values:
        life.add(at, value)
    parts = life.parts(start_up=1800, least=0)
    assert len(parts) in (0, GROWTH_PARTS)
    assert set(parts) <= {value for _, value in values}


def recent(minutes: float, value: Callable[[float], float], started: float | None = None) -> tuple[float, ...]:
    found = RecentParts()
    for number in range(int(minutes * 60 / ROUND)):
        found.add(1e9 + number * ROUND, value(number * ROUND))
    return found.parts(started)


def test_the_last_minutes_are_known_after_the_start_up() -> None:
    assert recent(20, lambda at: at) == ()
    assert is_steady(recent(21, lambda at: at), share=SHARE)
    assert recent(21, lambda at: at, started=1e9 + 600) == (), "it started later than it was first seen"
    assert is_steady(recent(13, lambda at: at, started=1e9 - HOUR), share=SHARE)
    assert not is_steady(recent(40, lambda at: min(at, 1800)), share=SHARE)


def test_values_of_a_clock_that_was_set_back_are_forgotten() -> None:
    found = RecentParts()
    for number in range(60):
        found.add(1e9 + number * ROUND, number)
    found.add(1e9, 5)
    assert found.parts() == ()
