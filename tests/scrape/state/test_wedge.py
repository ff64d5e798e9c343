"""A target that accepts connections and never answers is neither down nor merely slow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from tests.scrape.fakes import REFUSED, FakeClock, FakeFetcher, failing, pool_of

SILENT = failing(FetchError(Reason.TIMEOUT_HEADER, "connected, no reply"))
BROKEN = failing(FetchError(Reason.HTTP_5XX, "HTTP 500"))


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "shop:6060")
    yield pool
    await pool.close(0)


def hangs(pool: Pool) -> dict[str, bool]:
    return pool.states[0].wedge.hangs


async def test_a_target_that_answers_is_not_wedged(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(60)
    assert hangs(pool) == {"index": False, "goroutine": False}


async def test_nothing_is_known_of_a_target_that_cannot_be_connected_to(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    await clock.advance(60)
    fetcher.faults["shop:6060"] = REFUSED
    await clock.advance(60)
    assert hangs(pool) == {}


async def test_a_process_that_no_longer_runs_hangs_at_its_index_page(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    await clock.advance(60)
    fetcher.faults["shop:6060"] = SILENT
    await clock.advance(60)
    assert hangs(pool) == {"index": True}
    fetcher.faults.clear()
    await clock.advance(60)
    assert hangs(pool) == {"index": False, "goroutine": False}


async def test_a_world_that_cannot_be_stopped_hangs_at_its_goroutines_only(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults |= dict.fromkeys(("goroutine", "goroutineleak", "heap_debug1"), SILENT)
    await clock.advance(60)
    assert hangs(pool) == {"index": False, "goroutine": True}
    assert pool.states[0].up is True


async def test_a_refusal_is_an_answer(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.faults["goroutine"] = BROKEN
    await clock.advance(60)
    assert hangs(pool)["goroutine"] is False
