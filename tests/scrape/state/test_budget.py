"""The share of its time for which a target may be profiled."""

from __future__ import annotations

import contextlib

from pprof_exporter.scrape.state.budget import Budget
from tests.scrape.fakes import FakeClock


def spend(budget: Budget, clock: FakeClock, seconds: float) -> None:
    with budget.profiling():
        clock.time += seconds


def test_the_default_cycle_never_exhausts_the_default_budget(clock: FakeClock) -> None:
    budget = Budget(0.15, clock)
    for _ in range(1000):
        assert budget.has_credit()
        spend(budget, clock, 5.5)
        clock.time += 54.5


def test_what_is_profiled_for_longer_than_its_share_has_to_wait_until_the_share_is_met(clock: FakeClock) -> None:
    budget = Budget(0.15, clock)
    began = clock.time
    while clock.time - began < 20_000:
        if budget.has_credit():
            spend(budget, clock, 30)
        clock.time += 30
    # What a new target has saved comes on top.
    assert 0.14 < (budget.spent - 45) / (clock.time - began) < 0.16


def test_what_runs_at_the_same_time_counts_once(clock: FakeClock) -> None:
    budget = Budget(0.15, clock)
    with budget.profiling():
        clock.time += 2
        spend(budget, clock, 3)
        clock.time += 1
    assert budget.spent == 6


def test_a_long_rest_saves_no_more_than_five_minutes_of_it(clock: FakeClock) -> None:
    budget = Budget(0.1, clock)
    clock.time += 100_000
    spend(budget, clock, 34)
    assert not budget.has_credit()


def test_a_fetch_that_fails_was_paid_for(clock: FakeClock) -> None:
    budget = Budget(0.1, clock)
    running = budget.profiling()
    running.__enter__()
    clock.time += 4
    with contextlib.suppress(OSError):
        running.__exit__(OSError, OSError("cut"), None)
    clock.time += 10
    assert budget.has_credit()
    assert budget.spent == 4
