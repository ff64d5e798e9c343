"""A log that says the same thing a thousand times says it once, and how often it was."""

from __future__ import annotations

from pprof_exporter.log_limits import LineAllowance, LogLimit


class _Timer:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_the_first_event_is_logged_and_the_next_one_only_later_with_the_count() -> None:
    timer = _Timer()
    limit = LogLimit(timer, every=60)
    assert limit.admit("full") == 0
    for timer.at in (1.0, 30.0, 59.9):
        assert limit.admit("full") is None
    timer.at = 60.0
    assert limit.admit("full") == 3
    assert limit.admit("full") is None


def test_events_of_different_keys_do_not_hide_each_other() -> None:
    limit = LogLimit(_Timer())
    assert limit.admit(("shop:1", "connect")) == 0
    assert limit.admit(("shop:2", "connect")) == 0


def test_an_event_that_is_over_is_logged_at_once_when_it_comes_again() -> None:
    limit = LogLimit(_Timer())
    assert limit.forget("full") == 0
    limit.admit("full")
    limit.admit("full")
    assert limit.forget("full") == 1
    assert limit.admit("full") == 0


def test_the_memory_of_events_is_bounded_and_loses_the_oldest() -> None:
    timer = _Timer()
    limit = LogLimit(timer, most=3)
    for timer.at in range(4):
        limit.admit(timer.at)
    assert len(limit._events) == 3
    assert limit.admit(3.0) is None
    assert limit.admit(0.0) == 0


def test_a_subject_has_some_lines_at_once_and_then_one_now_and_then_with_the_count_of_those_left_out() -> None:
    timer = _Timer()
    allowance = LineAllowance(timer, at_once=3, every=600)
    assert [allowance.take() for _ in range(5)] == [0, 0, 0, None, None]
    timer.at = 599.0
    assert allowance.take() is None
    timer.at = 600.0
    assert [allowance.take(), allowance.take()] == [3, None]
    timer.at = 1e6
    assert [allowance.take() for _ in range(4)] == [1, 0, 0, None]
