"""The largest members: they sum up to the whole with the rest, and stay for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.scrape.state.top_k import OTHER, TopK

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.floats(0, 1e9), max_size=30)


@given(st.lists(WEIGHTS, min_size=1, max_size=15))
def test_members_and_other_sum_up_to_the_whole_and_are_bounded(rounds: list[dict[str, float]]) -> None:
    leaders = TopK(3)
    for weights in rounds:
        shown = leaders.update(weights)
        assert sum(shown.values()) == pytest.approx(sum(weights.values()))
        assert len(shown) <= 2 * 3 + 1
        top = sorted(weights, key=lambda name: (-weights[name], name))[:3]
        assert list(shown)[: len(top)] == top
        assert all(shown[name] == weights[name] for name in top)


def test_the_largest_are_shown_and_the_rest_is_one() -> None:
    assert TopK(2).update({"a": 5, "b": 3, "c": 2, "d": 1}) == {"a": 5, "b": 3, OTHER: 3}


def test_a_member_stays_for_ten_rounds_with_its_true_value() -> None:
    leaders = TopK(1)
    leaders.update({"old": 9})
    for _ in range(10):
        assert leaders.update({"new": 9, "old": 2}) == {"new": 9, "old": 2, OTHER: 0}
    assert leaders.update({"new": 9, "old": 2}) == {"new": 9, OTHER: 2}


def test_very_long_names_are_cut_and_those_that_become_equal_are_merged() -> None:
    shown = TopK(5).update({"f" * 300 + "1": 1, "f" * 300 + "2": 2})
    (name,) = set(shown) - {OTHER}
    assert len(name) == 200
    assert shown[name] == 3
