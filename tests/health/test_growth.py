"""What grew in each of several profiles is named; what came and went is not."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health.growth import RISES, GrowthTracker
from pprof_exporter.profile import Attribution, attribute
from tests.recorded import PROGRAMS, profile


def growth(history: Iterable[Mapping[str, float]], *, at_least: float = 1, changes_only: bool = False) -> list[float]:
    """The growth of `main.a` after each profile; 0 if it does not grow."""
    tracker = GrowthTracker(at_least=at_least, changes_only=changes_only)
    return [tracker.update(weights).get("main.a", 0) for weights in history]


def test_what_rises_in_each_profile_is_growing_by_what_came_on_top() -> None:
    rising = [5, 6, 7, 8, 10, 30]
    history = [{"main.a": value, "main.b": 9 - value % 2} for value in rising]
    assert growth(history, at_least=25) == [0] * RISES + [25]
    assert growth(history, at_least=26) == [0] * (RISES + 1)
    assert growth([{"main.a": 1}, *history, {"main.a": 31}]) == [0] * RISES + [9, 25, 25], "the latest five rises"


def test_what_appears_grows_from_0() -> None:
    assert growth([{}, *({"main.a": value} for value in range(1, RISES + 1))]) == [0] * RISES + [RISES]


def test_growth_of_recorded_profiles_is_attributed_to_the_function_that_leaks() -> None:
    for program in PROGRAMS:
        before, after = (
            attribute(profile(program, file), 0, Attribution.ENTRY)
            for file in ("goroutine.pb.gz", "goroutine_leaks.pb.gz")
        )
        tracker = GrowthTracker(at_least=5 * RISES, changes_only=False)
        *_, found = (
            tracker.update({name: before.get(name, 0) * (RISES - part) + value * part for name, value in after.items()})
            for part in range(RISES + 1)
        )
        assert {name: rise / RISES for name, rise in found.items()} == {
            "main.leakOnLostChannel": 20,
            "main.leakOnChannel": 12,
            "main.leakOnSelect": 10,
            "main.leakOnRead": 8,
            "main.leakOnSleep": 7,
            "main.leakOnSend": 6,
            "main.leakOnMutex": 5,
        }


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=12), st.integers(0, 9))
def test_growth_is_that_over_the_latest_rises_whatever_came_before(
    history: list[dict[str, float]], at_least: int
) -> None:
    tracker = GrowthTracker(at_least=at_least, changes_only=False)
    for end, weights in enumerate(history, 1):
        values = {name: [one.get(name, 0) for one in history[:end][-RISES - 1 :]] for name in weights}
        assert tracker.update(weights) == {
            name: latest[-1] - latest[0]
            for name, latest in values.items()
            if len(latest) > RISES
            and all(later > earlier for earlier, later in pairwise(latest))
            and latest[-1] - latest[0] >= at_least
        }


def test_profiles_of_a_large_program_are_not_kept() -> None:
    names = [f"example.com/service/package.Function{i}" for i in range(1_000)]
    tracker = GrowthTracker(at_least=1e9, changes_only=True)
    blocks = sys.getallocatedblocks()
    for value in range(20):
        tracker.update({name: 1.0 + value * i * (1 + (value + i) % 3) for i, name in enumerate(names)})
    assert sys.getallocatedblocks() - blocks < 200


def test_a_sawtooth_never_grows() -> None:
    assert not any(growth({"main.a": value % RISES} for value in range(50)))


def test_a_profile_without_a_difference_ends_the_growth_of_goroutines() -> None:
    values = [*range(RISES + 1), RISES]
    assert growth({"main.a": value} for value in values) == [0] * RISES + [RISES, 0]


def test_a_heap_between_two_collections_says_nothing_either_way() -> None:
    history = [{"main.a": value // 3} for value in range(3 * RISES + 3)]
    assert growth(history, changes_only=True) == [0] * (3 * RISES) + [RISES] * 3


def test_a_heap_that_came_to_rest_is_not_growing_any_more() -> None:
    values = [*range(RISES + 1), *[RISES] * 12]
    assert growth(({"main.a": value} for value in values), changes_only=True)[RISES + 1 :] == [RISES] * 9 + [0] * 3
