"""Targets that come and go leave nothing behind, and those that stay do not notice."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from weakref import WeakSet

import pytest

from pprof_exporter.catalog import Outcome
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.scrape import TargetState
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.target.loop import TargetLoop
from tests.scrape.churn import KEPT, churning
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of, settings, settle

AT_ONCE = 10
ROUNDS = 6


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "stays:1")
    yield pool
    await pool.close(0)


class Alive:
    """How many loops and states of one pool are still in memory.

    Those of other pools do not count: aiohttp caches the middlewares of applications, and with them what other tests
    served.
    """

    def __init__(self) -> None:
        self._loops = WeakSet[TargetLoop]()
        self._states = WeakSet[TargetState]()

    def note(self, pool: Pool) -> None:
        for watched in pool._watched.values():
            self._loops.add(watched.loop)
            self._states.add(watched.loop.state)

    def count(self) -> tuple[int, int]:
        gc.collect()
        return len(self._loops), len(self._states)


def listed(numbers: Iterable[int]) -> list[str]:
    return ["stays:1", *(f"shop-{number}:1" for number in numbers)]


async def test_nothing_is_left_of_targets_that_were_replaced(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fleet = FleetSeries(pool)
    stays = pool.states[0]
    tasks: list[int] = []
    alive = Alive()
    for number in range(ROUNDS):
        pool.apply(settings(*listed(range(number * AT_ONCE, (number + 1) * AT_ONCE))))
        alive.note(pool)
        await clock.advance(12)
        await fleet.pieces()
        tasks.append(len(asyncio.all_tasks()))
        # Half of them go while their CPU profile is under way.
        fetcher.takes["profile"] = 6 * (number % 2)
    assert min(alive.count()) > AT_ONCE, "those of now, at least, are seen"
    pool.apply(settings("stays:1"))
    await clock.advance(60)
    (shown,) = await fleet.pieces()
    await settle()

    assert pool.states == (stays,)
    assert stays.profiles["cpu"].counters.outcomes[Outcome.SUCCESS] >= 2
    assert max(tasks) <= 2 * min(tasks)
    assert alive.count() == (1, 1)
    assert len(pool.limiter._processes) <= 1
    assert len(pool.limiter._quick._hosts) + len(pool.limiter._windows._hosts) <= 2
    assert pool.limiter.in_flight == 0
    assert sum(piece.size for piece in shown.values()) > 0
    await fleet.close()


async def test_ever_so_many_new_targets_are_taken_up_little_by_little(pool: Pool) -> None:
    pool.apply(settings(*listed(range(1500))))
    assert len(pool.states) == 101
    pool.apply(settings(*listed(range(1100))))
    async with asyncio.timeout(60):
        while len(pool.states) != 1101:
            await settle()
    await settle()
    assert len(pool.states) == 1101


async def test_live_objects_do_not_grow_with_targets_that_were_replaced(tmp_path: Path) -> None:
    async with churning(tmp_path) as churn:
        # More than the control group of upgrades has.
        await churn.replace(range(11))
        before = await churn.live_objects()
        await churn.replace(range(11, 20))
        after = await churn.live_objects()
        assert len(churn.evidence.evidence_store.findings()) == KEPT
        assert len(churn.pool._store._ledger._epochs) <= KEPT + AT_ONCE
    assert after.total() - before.total() < 0.01 * before.total(), (after - before).most_common(10)
