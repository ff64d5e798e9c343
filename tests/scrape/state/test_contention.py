"""Whether block and mutex profiling are on: told by records, by the rate of mutex, by goroutines that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import KINDS, DecodeError, read_mutex_rate
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.contention import ContentionState
from tests.recorded import PROGRAMS, reply
from tests.scrape.fakes import RECORDED, FakeClock, FakeFetcher, failing, pool_of
from tests.scrape.state.observations import observed


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "shop:6060")
    yield pool
    await pool.close(0)


def enabled(pool: Pool) -> tuple[bool | None, bool | None]:
    state = pool.states[0].contention
    return state.block, state.mutex


async def test_the_rate_of_mutex_tells_at_once_and_block_only_after_many_waits(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.bodies["goroutine"] = (RECORDED / "goroutine_leaks.pb.gz").read_bytes()
    await clock.advance(30)
    assert enabled(pool) == (None, False)
    block = KINDS["block"].interval
    await clock.advance(8 * block)
    assert enabled(pool) == (None, False)
    await clock.advance(3 * block)
    assert enabled(pool) == (False, False)


async def test_records_show_that_both_are_on(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    for name in ("block", "mutex"):
        fetcher.bodies[name] = (RECORDED / f"{name}_contended.pb.gz").read_bytes()
    await clock.advance(30)
    assert enabled(pool) == (True, True)
    assert fetcher.asked["mutex_debug1"] == 0


async def test_a_mutex_profile_without_records_may_be_on(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.bodies["mutex_debug1"] = (RECORDED / "mutex_contended_debug1.txt").read_bytes()
    await clock.advance(30)
    assert enabled(pool)[1] is True


async def test_a_rate_that_cannot_be_read_is_unknown_and_the_profile_is_no_failure(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["mutex_debug1"] = failing(FetchError(Reason.UNAUTHORIZED, "HTTP 403"))
    await clock.advance(30)
    assert enabled(pool)[1] is None
    assert not pool.states[0].profiles["mutex"].counters.fetch_failures


async def test_a_program_in_which_nothing_waits_says_nothing_of_block(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(1800)
    assert enabled(pool)[0] is None


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_version_of_go_states_the_rate_of_mutex(program: str) -> None:
    assert read_mutex_rate(reply(program, "mutex_debug1.txt").body) == 0
    assert read_mutex_rate(reply(program, "mutex_contended_debug1.txt").body) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"--- mutex:\n", b"--- block:\ncycles/second=1\nsampling period=1\n"])
def test_what_states_no_rate_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        read_mutex_rate(body)


def waits(*profiles: tuple[float, float]) -> float | None:
    """The waiting by mutex profiles: when they were fetched, and seconds of contention since the start."""
    state = ContentionState()
    for at, total in profiles:
        state.learn(KINDS["mutex"], observed("mutex", at, 1, total))
    return state.waiting_for_locks


@pytest.mark.parametrize(
    ("profiles", "waiting"),
    [
        ([], None),
        ([(0, 100.0)], None),
        ([(0, 100.0), (29, 200.0)], None),
        ([(0, 100.0), (60, 100.0)], 0.0),
        ([(0, 0.0), (60, 4020.0)], 67.0),
        # What ended is not told, and what began counts with the time before it.
        ([(0, 0.0), (60, 4020.0), (120, 4020.0)], 0.0),
        ([(0, 0.0), (60, 0.0), (120, 120.0)], 1.0),
        # Of more than half an hour, the last half.
        ([(0, 90_000.0), (60, 90_000.0), (1830, 91_770.0), (1860, 91_800.0)], 1.0),
        # A total that fell is that of another process.
        ([(0, 500.0), (60, 600.0), (120, 1.0)], None),
        ([(0, 500.0), (60, 600.0), (120, 1.0), (180, 61.0)], 1.0),
    ],
)
def test_waiting_for_locks_is_a_rate(profiles: list[tuple[float, float]], waiting: float | None) -> None:
    assert waits(*profiles) == pytest.approx(waiting)
