"""What grew at every look of several is named; what came and went is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health.growth import RISES, GrowthTracker, growing
from pprof_exporter.profile import Attribution, attribute
from tests.recorded import PROGRAMS, profile


def test_what_rises_at_each_look_is_growing_by_what_came_on_top() -> None:
    history = ({"main.serve": 5, "main.a": 3}, {"main.serve": 6, "main.a": 9}, {"main.serve": 30, "main.a": 8})
    assert growing(history, rises=2, at_least=20) == {"main.serve": 25}
    assert growing(history, rises=2, at_least=25) == {"main.serve": 25}
    assert growing(history, rises=2, at_least=26) == {}
    assert growing(history, rises=3, at_least=1) == {}, "not enough looks"
    assert growing(history, rises=0, at_least=0) == {}


def test_what_appears_grows_from_0() -> None:
    assert growing(({}, {"main.a": 1}, {"main.a": 3}), rises=2, at_least=1) == {"main.a": 3}


def test_growth_of_recorded_profiles_is_booked_on_the_function_that_leaks() -> None:
    files = ("goroutine.pb.gz", "goroutine_leaks.pb.gz")
    for program in PROGRAMS:
        history = tuple(attribute(profile(program, file), 0, Attribution.ENTRY) for file in files)
        assert growing(history, rises=1, at_least=5) == {
            "main.leakOnLostChannel": 20,
            "main.leakOnChannel": 12,
            "main.leakOnSelect": 10,
            "main.leakOnRead": 8,
            "main.leakOnSleep": 7,
            "main.leakOnSend": 6,
            "main.leakOnMutex": 5,
        }


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=6),
    st.integers(0, 6),
    st.integers(0, 9),
)
def test_growth_is_never_claimed_over_a_fall(history: list[dict[str, int]], rises: int, at_least: int) -> None:
    for name, rise in growing(tuple(history), rises=rises, at_least=at_least).items():
        counts = [look.get(name, 0) for look in history[-rises - 1 :]]
        assert counts == sorted(set(counts))
        assert len(counts) == rises + 1
        assert counts[-1] - counts[0] == rise >= max(at_least, rises)


def test_a_sawtooth_never_grows() -> None:
    growth = GrowthTracker(at_least=1, changes_only=False)
    assert not any(growth.update({"main.a": look % RISES}) for look in range(50))


def test_a_look_that_shows_no_difference_ends_the_growth_of_goroutines() -> None:
    growth = GrowthTracker(at_least=1, changes_only=False)
    found = [growth.update({"main.a": look}) for look in range(RISES + 1)]
    assert found == [{}] * RISES + [{"main.a": RISES}]
    assert growth.update({"main.a": RISES}) == {}


def test_a_heap_that_no_collection_has_looked_at_meanwhile_says_nothing_either_way() -> None:
    growth = GrowthTracker(at_least=1, changes_only=True)
    found = [growth.update({"main.a": look // 3}) for look in range(3 * RISES + 3)]
    assert found == [{}] * (3 * RISES) + [{"main.a": RISES}] * 3


def test_a_heap_that_came_to_rest_is_not_growing_any_more() -> None:
    growth = GrowthTracker(at_least=1, changes_only=True)
    for look in range(RISES + 1):
        growth.update({"main.a": look})
    assert [bool(growth.update({"main.a": RISES})) for _ in range(12)].count(True) == 9
