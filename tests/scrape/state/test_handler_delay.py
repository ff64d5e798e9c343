"""A handler that sleeps before it answers neither hangs nor is slow: its sleep is learned, and is a window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import cycle
from random import Random

import pytest

from pprof_exporter.catalog import Deferral, Outcome, Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.handler_delay import LongerTries
from pprof_exporter.verdicts import snapshot_of, verdicts
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of

SILENT = failing(FetchError(Reason.TIMEOUT_HEADER, "connected, no reply"))


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, "shop:1")
    yield pool
    await pool.close(0)


@pytest.mark.parametrize("profile", ["mutex", "goroutine", "threadcreate"])
async def test_a_sleep_of_ten_seconds_is_learned_from_one_timeout(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher, profile: str
) -> None:
    fetcher.sleeps[profile] = 10.004
    await clock.advance(1800)
    state = pool.states[0]
    assert state.delays.windows() == {profile: 10}
    counters = state.counters[profile]
    # One timeout, one longer try, one that confirms: then it is a window, and comes every time.
    assert counters.outcomes[Outcome.FAILURE] == 1
    assert counters.outcomes[Outcome.SUCCESS] >= 5
    latest = state.profiles[profile].latest
    assert latest is not None
    assert latest.took < 0.1
    assert not any(state.wedge.hangs.values())


@pytest.mark.parametrize(("seconds", "timeout"), [(10.004, 10), (10.004, 15), (3.02, 10)])
async def test_no_reply_of_a_handler_that_sleeps_counts_as_slow(
    clock: FakeClock, fetcher: FakeFetcher, seconds: float, timeout: float
) -> None:
    pool = pool_of(clock, fetcher, "shop:1", timeout=timeout)
    fetcher.sleeps["mutex"] = seconds
    for _ in range(90):
        await clock.advance(20)
        verdict = next(
            one for one in verdicts(snapshot_of(pool.states[0], clock.now())) if one.failure_mode.id == "F13"
        )
        assert verdict.findings == (), "one fetch that timed out is none"
    counters = pool.states[0].counters["mutex"]
    assert counters.outcomes[Outcome.SUCCESS] >= 3
    assert max(latency for latency in counters.history.latest() if latency is not None) < 0.5
    await pool.close(0)


async def test_a_profile_that_takes_long_by_itself_counts_as_slow_from_the_second_on(clock: FakeClock) -> None:
    delay = LongerTries(clock, ["heap"]).by_profile["heap"]
    counted = []
    for seconds in (12.2, 13.7, 12.6, 12.02, 14.4, 13.03, 12.5, 13.9, 14.02, 12.8):
        delay.answered(seconds, 0.01, timeout=10)
        counted.append(seconds - delay.supposed)
    assert delay.window == 0
    assert min(counted[1:]) > 10


async def test_a_busy_target_that_answers_later_still_sleeps(clock: FakeClock) -> None:
    delay = LongerTries(clock, ["mutex"]).by_profile["mutex"]
    for seconds in (10.02, 10.4, 10.05, 10.9, 10.03):
        delay.answered(seconds, 0.01, timeout=15)
        assert seconds - delay.supposed < 1
    assert delay.window == 10


@pytest.mark.parametrize(
    "replies",
    [
        # The exporter or the host had much to do when it began: the first reply is later than half a second.
        pytest.param([(10.62, 0.3), (10.35, 0.3), (10.08, 0.1), (10.3, 0.2), (10.04, 0.02)], id="late at first"),
        pytest.param([(11.7, 0.4), (10.4, 0.3), (10.1, 0.1), (10.06, 0.1), (10.02, 0.02)], id="very late at first"),
        pytest.param([(10.04, 0.02), (11.9, 0.05), (10.05, 0.05), (10.4, 0.1), (10.06, 0.05)], id="very late once"),
        pytest.param([(10.35, 0.28), (10.42, 0.33), (10.38, 0.35), (10.31, 0.3)], id="always as late as others"),
        pytest.param([(10.05, 0.1), (11.4, 1.3), (10.06, 0.1), (10.05, 0.1)], id="everything is slow for a moment"),
        pytest.param([(10 + late, 0.01) for late in (0.3, 0.05, 0.2, 0.6, 0.35, 0.08, 0.4)], id="mostly late"),
    ],
)
@pytest.mark.parametrize("timeout", [10, 15])
def test_a_sleep_on_a_busy_host_is_learned_and_is_never_latency(
    clock: FakeClock, replies: list[tuple[float, float]], timeout: float
) -> None:
    delay = LongerTries(clock, ["mutex"]).by_profile["mutex"]
    for seconds, others in replies:
        delay.answered(seconds, others, timeout=timeout)
        # Once it is known, the fetch has a window.
        assert seconds - max(delay.supposed, delay.window) < 2
    assert delay.window == 10


@pytest.mark.parametrize("seed", range(20))
def test_work_of_a_mutex_profile_that_varies_counts_as_slow(clock: FakeClock, seed: int) -> None:
    delay, chance = LongerTries(clock, ["mutex"]).by_profile["mutex"], Random(seed)
    counted = []
    for _ in range(40):
        seconds = chance.uniform(4, 9)
        delay.answered(seconds, 0.01, timeout=15)
        counted.append(seconds - delay.supposed)
    assert delay.window == 0
    assert min(counted[12:]) >= 4


async def test_what_it_costs_stays_within_the_budget(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.sleeps["mutex"] = 10.004
    await clock.advance(3600)
    state = pool.states[0]
    assert state.budget.spent / 3600 < state.settings.budget
    assert {name for name, counters in state.counters.items() if counters.overdue} == set()
    assert state.counters["cpu"].deferred[Deferral.BUDGET] == 0
    assert state.counters["mutex"].skipped.total() <= 2


async def test_others_go_on_while_it_sleeps(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.sleeps["mutex"] = 45.0
    await clock.advance(3600)
    assert pool.states[0].delays.windows() == {"mutex": 45}
    assert fetcher.asked["goroutine"] == pytest.approx(120, abs=2)


async def test_a_sleep_below_the_timeout_is_learned_too(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.sleeps["block"] = 5.003
    await clock.advance(600)
    assert pool.states[0].delays.windows() == {"block": 5}


async def test_a_profile_that_go_always_records_is_slow_and_does_not_sleep(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.sleeps["heap"] = 1.5
    await clock.advance(600)
    state = pool.states[0]
    assert state.delays.windows() == {}
    latest = state.profiles["heap"].latest
    assert latest is not None
    assert latest.took >= 1.5


async def test_a_sleep_that_ends_and_a_process_that_ends_are_forgotten(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.sleeps["mutex"] = 10.004
    await clock.advance(900)
    fetcher.sleeps.clear()
    await clock.advance(600)
    assert pool.states[0].delays.windows() == {}
    pool.states[0].begin_process()
    fetcher.sleeps["mutex"] = 10.004
    await clock.advance(7200)
    assert pool.states[0].delays.windows() == {"mutex": 10}
    pool.states[0].begin_process()
    assert pool.states[0].delays.windows() == {}


async def test_what_answered_at_once_and_became_slow_is_no_handler_that_sleeps(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    await clock.advance(300)
    fetcher.sleeps["heap"] = 2.0
    fetcher.sleeps["mutex"] = 10.004
    await clock.advance(3600)
    state = pool.states[0]
    assert state.delays.windows() == {}
    assert not state.delays.by_profile["mutex"].undecided
    assert state.counters["mutex"].outcomes[Outcome.FAILURE] > 3
    latest = state.profiles["heap"].latest
    assert latest is not None
    assert latest.took > 1.9


async def test_a_profile_that_hangs_is_tried_longer_once_and_then_seldom(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.sleeps["mutex"] = 1e6
    longest: list[float] = []
    get = fetcher.get

    async def noted(*arguments: object, timeout: float, window: float = 0, **more: object) -> object:
        if window + timeout > 30:
            longest.append(clock.time)
        return await get(*arguments, timeout=timeout, window=window, **more)  # type: ignore[arg-type] # passed on

    fetcher.get = noted  # type: ignore[method-assign,assignment] # to see the deadlines
    await clock.advance(12 * 3600)
    assert pool.states[0].delays.windows() == {}
    assert 2 <= len(longest) <= 5
    assert pool.states[0].counters["mutex"].outcomes[Outcome.FAILURE] > 50


async def test_nothing_is_tried_longer_while_the_target_does_not_answer(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    await clock.advance(60)
    fetcher.faults["shop:1"] = SILENT
    await clock.advance(1800)
    assert all(delay.attempt(10, others_answer=False).extra == 0 for delay in pool.states[0].delays.by_profile.values())
    assert pool.states[0].wedge.hangs == {"index": True}


async def test_work_that_takes_long_is_not_a_sleep(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    lengths = cycle([2.2, 2.31, 2.26, 1.94, 2.43, 2.08])
    get = fetcher.get

    async def varied(*arguments: object, **more: object) -> object:
        fetcher.sleeps["heap"] = next(lengths)
        return await get(*arguments, **more)  # type: ignore[arg-type] # passed on

    fetcher.get = varied  # type: ignore[method-assign,assignment] # to vary
    await clock.advance(3600)
    assert pool.states[0].delays.windows() == {}


async def test_a_proxy_that_delays_everything_is_latency(pool: Pool, clock: FakeClock, fetcher: FakeFetcher) -> None:
    for name in ("heap", "allocs", "goroutine", "goroutineleak", "threadcreate", "block", "mutex"):
        fetcher.sleeps[name] = 5.003
    await clock.advance(1800)
    assert pool.states[0].delays.windows() == {}


def test_longer_tries_of_several_profiles_are_apart(clock: FakeClock) -> None:
    tries = LongerTries(clock, ["heap", "mutex"])
    for delay in tries.by_profile.values():
        delay.timed_out()
    assert tries.by_profile["heap"].attempt(10, others_answer=True).extra == 50
    tries.by_profile["heap"].timed_out()
    assert tries.by_profile["mutex"].attempt(10, others_answer=True).extra == 0
    clock.time += 301
    assert tries.by_profile["mutex"].attempt(10, others_answer=True).extra == 50


async def test_the_runtime_is_not_blamed_while_the_world_can_be_stopped(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["goroutine"] = SILENT
    await clock.advance(400)
    assert pool.states[0].wedge.hangs == {"index": False, "goroutine": False}
    fetcher.faults["heap_debug1"] = fetcher.faults["goroutineleak"] = SILENT
    await clock.advance(1800)
    assert pool.states[0].wedge.hangs == {"index": False, "goroutine": True}
