"""What the loop of a target does as time passes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pprof_exporter.catalog import Deferral, Outcome, Reason, Skip
from pprof_exporter.profile import KINDS
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.target_state import TargetState
from tests.scrape.fakes import MISSING, RECORDED, REFUSED, FakeClock, FakeFetcher, failing, pool_of

TARGET = "shop:6060"
BUSY = failing(FetchError(Reason.BUSY, "in use"))


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, TARGET)
    yield pool
    await pool.close(0)


def state(pool: Pool) -> TargetState:
    return pool.states[0]


async def test_the_first_look_reads_every_kind_at_once(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(7)
    assert state(pool).up is True
    assert all(profile.latest is not None for profile in state(pool).profiles.values())


async def test_a_profile_that_the_index_does_not_list_is_not_asked_for(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.bodies[""] = (RECORDED.parent / "linux-go1.21.13" / "index.html").read_bytes()
    await clock.advance(120)
    assert fetcher.asked["goroutineleak"] == 0
    assert not state(pool).profiles["goroutineleak"].counters.skipped


async def test_every_kind_keeps_its_interval(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    await clock.advance(3600)
    for kind in KINDS.values():
        assert fetcher.asked[kind.path] == pytest.approx(3600 / kind.interval, abs=2), kind.name
    assert fetcher.asked[""] == pytest.approx(120, abs=2)


async def test_a_target_that_is_down_is_asked_for_its_index_page_only(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["shop:6060"] = REFUSED
    await clock.advance(300)
    assert state(pool).up is False
    assert set(fetcher.asked) == {"", "shop:6060/"}
    assert state(pool).index_counters.fetch_failures == {Reason.CONNECT: fetcher.asked[""]}
    assert state(pool).profiles["heap"].counters.skipped[Skip.TARGET_DOWN] > 5
    assert not state(pool).profiles["heap"].counters.outcomes


async def test_a_target_that_comes_up_is_read_on_the_next_ticks(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["shop:6060"] = REFUSED
    await clock.advance(300)
    fetcher.faults.clear()
    await clock.advance(95)
    assert state(pool).up is True
    assert state(pool).profiles["cpu"].latest is not None
    assert state(pool).profiles["heap"].latest is not None


async def test_profiles_without_an_index_page_are_read_and_the_target_is_up(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["shop:6060/"] = MISSING
    await clock.advance(200)
    assert state(pool).up is True
    assert state(pool).index is None
    assert state(pool).index_counters.fetch_failures[Reason.NOT_MOUNTED] > 5
    assert state(pool).profiles["heap"].counters.outcomes[Outcome.SUCCESS] > 5


async def test_an_index_page_of_something_else_is_a_failure_to_decode(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.bodies[""] = b"<!doctype html><title>Shop</title>"
    fetcher.faults["heap"] = MISSING
    await clock.advance(1)
    assert state(pool).index_counters.decode_failures == {Reason.HTML: 1}


async def test_another_profiler_is_busy_and_nobodys_failure(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.faults["profile"] = BUSY
    await clock.advance(10)
    counters = state(pool).profiles["cpu"].counters
    assert counters.outcomes == {Outcome.BUSY: 1}
    assert not counters.fetch_failures


async def test_failures_make_the_next_try_later_and_success_ends_that(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["heap"] = failing(FetchError(Reason.HTTP_5XX, "HTTP 500"))
    await clock.advance(3600)
    counters = state(pool).profiles["heap"].counters
    assert counters.outcomes[Outcome.FAILURE] < 15
    assert counters.skipped[Skip.BACKOFF] > 90
    fetcher.faults.clear()
    await clock.advance(700)
    tried = fetcher.asked["heap"]
    await clock.advance(600)
    assert fetcher.asked["heap"] == tried + 20


async def test_a_body_that_is_no_profile_counts_as_a_failure_to_decode(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.bodies["heap"] = b"<html>Sign in</html>"
    await clock.advance(1)
    counters = state(pool).profiles["heap"].counters
    assert counters.decode_failures == {Reason.HTML: 1}
    assert not counters.fetch_failures
    assert str(counters.last_failure).startswith("html: ")


async def test_ticks_that_pass_during_a_slow_fetch_are_counted_and_not_made_up_for(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    # No multiple of half a second, so that it is no handler that sleeps.
    fetcher.takes["goroutine"] = 95.3
    await clock.advance(600)
    counters = state(pool).profiles["goroutine"].counters
    # From the second on, it may be a handler that sleeps: the budget pays for it.
    assert counters.skipped[Skip.LATE] + counters.deferred[Deferral.BUDGET] >= 10
    assert fetcher.most_running["goroutine"] == 1
    assert fetcher.asked["goroutine"] <= 7


async def test_cheap_looks_go_on_while_a_window_runs(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.takes["profile"] = 300
    await clock.advance(200)
    assert fetcher.running["profile"] == 1
    assert fetcher.asked["goroutine"] >= 6


async def test_a_window_that_overruns_its_interval_is_not_started_twice(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.takes["profile"] = 300
    await clock.advance(290)
    assert fetcher.asked["profile"] == 1
    assert state(pool).profiles["cpu"].counters.skipped[Skip.LATE] >= 3


async def test_windows_add_up_and_snapshots_replace(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(7)
    once = state(pool).profiles["cpu"].totals()
    heap = state(pool).profiles["heap"].totals()
    await clock.advance(600)
    windows = state(pool).profiles["cpu"].counters.outcomes[Outcome.SUCCESS]
    assert windows >= 10
    assert state(pool).profiles["cpu"].totals() == pytest.approx([windows * (total or 0) for total in once])
    assert state(pool).profiles["heap"].totals() == heap
