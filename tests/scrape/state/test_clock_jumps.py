"""A wall clock that is set forward or back moves no tick, and what is then of unknown age is not shown."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pprof_exporter.catalog import Outcome, Reason, Skip
from pprof_exporter.exposition.sink import MetricSink
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of

HOUR = 3600.0


class SetClock(FakeClock):
    """A clock whose wall time can be set; steady time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong = 0.0

    def now(self) -> float:
        return self.time + self.wrong


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def fetcher(clock: SetClock) -> FakeFetcher:
    return FakeFetcher(clock)


@pytest.fixture
async def pool(clock: SetClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "shop:1")
    await clock.advance(120)
    yield pool
    await pool.close(0)


def shows_goroutines(pool: Pool, clock: SetClock) -> bool:
    sink = MetricSink()
    TargetSeries(sink, pool.states[0], clock.now()).add()
    return any(metric.name == "pprof_goroutines" for metric in sink.metrics())


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_fetches_keep_their_rhythm(pool: Pool, clock: SetClock, fetcher: FakeFetcher, jump: float) -> None:
    before = fetcher.asked["heap"]
    clock.wrong = jump
    await clock.advance(300)

    assert fetcher.asked["heap"] - before == 10
    counters = pool.states[0].profiles["heap"].counters
    assert counters.skipped[Skip.LATE] == 0
    assert counters.outcomes[Outcome.FAILURE] == 0
    assert pool.internal_errors == 0


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_what_was_read_before_is_of_unknown_age_until_it_is_read_again(
    pool: Pool, clock: SetClock, jump: float
) -> None:
    assert shows_goroutines(pool, clock)
    clock.wrong = jump
    assert not shows_goroutines(pool, clock)
    await clock.advance(30)
    assert shows_goroutines(pool, clock)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_what_a_target_said_before_it_went_away_does_not_outlive_the_jump(
    pool: Pool, clock: SetClock, fetcher: FakeFetcher, jump: float
) -> None:
    fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    clock.wrong = jump
    await clock.advance(120)

    assert pool.states[0].up is False
    assert not shows_goroutines(pool, clock)


async def test_a_clock_that_is_only_adjusted_hides_nothing(pool: Pool, clock: SetClock) -> None:
    clock.wrong = -1.0
    assert shows_goroutines(pool, clock)
