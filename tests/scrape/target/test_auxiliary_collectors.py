"""Looks besides the profiles: the canary while a CPU profile runs and while none runs, and pauses of the collector."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import read_memstats
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.auxiliary import MemStatsState
from pprof_exporter.scrape.state.canary import During
from tests.scrape.fakes import RECORDED, FakeClock, FakeFetcher, failing, pool_of

BEFORE = read_memstats((RECORDED / "heap_debug1.txt").read_bytes())
AFTER = read_memstats((RECORDED / "heap_retained_debug1.txt").read_bytes())


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "shop:1")
    yield pool
    await pool.close(0)


async def test_the_canary_is_timed_at_rest_and_within_every_cpu_profile(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(3600)
    counts = {during: sum(counts) for during, counts in pool.states[0].canary.counts.items()}
    # Some of the canaries of each half minute fall into a profile by chance.
    assert counts[During.PROFILE] >= 60
    assert counts[During.REST] >= 100


async def test_a_canary_without_an_answer_is_counted_and_is_no_failure_of_anything_else(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["cmdline"] = failing(FetchError(Reason.TIMEOUT_HEADER, "no reply"))
    await clock.advance(300)
    state = pool.states[0]
    assert state.canary.failures[During.REST] >= 5
    assert state.canary.failures[During.PROFILE] >= 1
    assert state.profiles["cpu"].latest is not None
    assert state.up is True


async def test_memory_statistics_come_seldom(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    await clock.advance(3600)
    assert fetcher.asked["heap_debug1"] == pytest.approx(12, abs=2)
    assert pool.states[0].memstats.latest is not None


def test_pauses_from_before_the_first_look_are_not_counted_and_later_ones_once() -> None:
    pauses = MemStatsState()
    pauses.record(BEFORE, 0)
    assert sum(pauses.pause_counts) == 0
    for _ in range(3):
        pauses.record(AFTER, 0)
    assert sum(pauses.pause_counts) == AFTER.num_gc - BEFORE.num_gc > 0
    assert pauses.unseen_collections == 0


def test_pauses_within_a_cpu_profile_are_told_apart() -> None:
    ends = [end / 1e9 for end in AFTER.pause_end if end]
    pauses = MemStatsState()
    pauses.record(BEFORE, 0)
    pauses.add_window(max(ends) - 0.001, max(ends) + 1)
    pauses.record(AFTER, 0)
    assert pauses.pauses_within_windows == 1
