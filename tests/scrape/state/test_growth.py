"""A leak that restarts end is counted; upgrades, healthy restarts and several processes are not."""

from __future__ import annotations

import pytest

from pprof_exporter.scrape.state.growth import Growing, GrowthState
from pprof_exporter.scrape.state.memory_limits import LimitSource, LocalBounds, MemoryLimits

ROUND, MIB = 30.0, 2**20


def live(growth: GrowthState, *, hours: float = 3, to: float = 500, leak: bool = True) -> None:
    """A process whose heap grows from 50 MiB, all its life or only for a quarter of it."""
    rounds = int(hours * 3600 / ROUND)
    for number in range(rounds):
        share = number / rounds if leak else min(1, 4 * number / rounds)
        growth.add(Growing.HEAP, 1e9 + number * ROUND, MIB * (50 + share * (to - 50)))
        growth.add(Growing.GOROUTINES, 1e9 + number * ROUND, 300)


def test_a_restart_that_ends_a_leak_is_counted_when_the_next_process_is_known() -> None:
    growth = GrowthState(ROUND)
    for count in (1, 2):
        live(growth)
        growth.begin_process(judge=True)
        assert growth.restarts[Growing.HEAP] == count - 1
        growth.identified(1000.0 * count, upgraded=False)
        assert growth.restarts == {Growing.HEAP: count}
    assert growth.restarts_since(1500) == {Growing.HEAP: 1, Growing.GOROUTINES: 0}
    growth.identified(3000, upgraded=False)
    assert growth.restarts[Growing.HEAP] == 2


@pytest.mark.parametrize(
    ("process", "judge", "upgraded"),
    [
        ({"leak": False}, True, False),
        ({"to": 80}, True, False),
        ({"hours": 0.3}, True, False),
        ({}, True, True),
        ({}, False, False),
    ],
    ids=["cache that is full", "little", "short life", "upgrade", "several processes"],
)
def test_other_ends_are_not_counted(process: dict[str, float], judge: bool, upgraded: bool) -> None:  # noqa: FBT001
    growth = GrowthState(ROUND)
    live(growth, **process)  # type: ignore[arg-type]  # of this table
    growth.begin_process(judge=judge)
    growth.identified(1000, upgraded=upgraded)
    assert not +growth.restarts


def test_the_limit_is_the_least_and_the_page_knows_better_than_the_environment() -> None:
    limits = MemoryLimits()
    assert limits.least is None
    limits.of_process(LocalBounds(gomemlimit=600, host_memory=8000, host_processors=2), cgroup=1000)
    assert limits.known == {LimitSource.HOST: 8000, LimitSource.CGROUP: 1000, LimitSource.GOMEMLIMIT: 600}
    limits.of_page(900)
    limits.of_process(LocalBounds(gomemlimit=600, host_memory=8000, host_processors=2), cgroup=None)
    assert limits.known == {LimitSource.HOST: 8000, LimitSource.GOMEMLIMIT: 900}
    assert limits.least == 900
    limits.begin_process()
    assert limits.known == {}
