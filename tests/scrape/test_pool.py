"""Many targets: none disturbs another, and a new configuration touches only what changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import count, pairwise

import pytest
from yarl import URL

from pprof_exporter.catalog import Outcome
from pprof_exporter.config import (
    Authorization,
    ClientSettings,
    Job,
    Params,
    ProfileSettings,
    Secret,
    Settings,
    TargetGroup,
    parse_target,
)
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.time_slices import TimeSlices
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of, settings, settle

Make = Callable[..., Pool]


class Surprise(Exception):
    """A fault of ours."""


@pytest.fixture
async def make(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Make]:
    pools: list[Pool] = []

    def begin(*targets: str) -> Pool:
        pools.append(pool_of(clock, fetcher, *targets))
        return pools[-1]

    yield begin
    for pool in pools:
        await pool.close(0)


async def test_targets_are_told_in_the_order_of_their_names(make: Make) -> None:
    assert [state.target.name for state in make("b:1", "a:1", "c:1").states] == ["a:1", "b:1", "c:1"]


async def test_the_states_are_one_object_until_targets_come_or_go(make: Make) -> None:
    pool = make("b:1", "a:1")
    before = pool.states
    assert pool.states is before
    pool.apply(settings("b:1", "a:1"))
    assert pool.states is before

    pool.apply(settings("b:1"))
    assert pool.states == before[1:]
    pool.apply(settings("b:1", "a:1"))
    assert [state.target.name for state in pool.states] == ["a:1", "b:1"]
    assert pool.states[1] is before[1]


async def test_a_target_that_never_answers_does_not_hold_up_another(
    make: Make, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.takes["slow:1/"] = 10_000
    pool = make("slow:1", "quick:1")
    await clock.advance(300)
    slow, quick = pool.states[1], pool.states[0]
    assert quick.profiles["heap"].counters.outcomes[Outcome.SUCCESS] >= 9
    assert slow.up is None


async def test_two_targets_of_one_process_never_profile_its_cpu_at_once(
    make: Make, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    make("http://shop:1/debug/pprof", "http://shop:1/alias/pprof")
    await clock.advance(600)
    assert fetcher.asked["profile"] >= 18
    assert fetcher.most_running["profile"] == 1


async def test_a_fault_of_ours_ends_one_loop_is_counted_and_the_loop_starts_again(
    make: Make, clock: FakeClock, fetcher: FakeFetcher, caplog: pytest.LogCaptureFixture
) -> None:
    fetcher.faults["bad:1/heap"] = lambda: Surprise("never seen")
    pool = make("bad:1", "good:1")
    await clock.advance(50)
    assert pool.internal_errors >= 1
    assert "never seen" in caplog.text
    good = pool.states[1].profiles["heap"].counters
    assert good.outcomes[Outcome.SUCCESS] >= 2
    fetcher.faults.clear()
    await clock.advance(120)
    assert pool.states[0].profiles["heap"].counters.outcomes[Outcome.SUCCESS] >= 1


async def test_first_looks_of_many_targets_are_spread(make: Make, clock: FakeClock, fetcher: FakeFetcher) -> None:
    make(*(f"shop-{number}:1" for number in range(100)))
    await clock.advance(5)
    assert 25 <= fetcher.asked[""] <= 75
    await clock.advance(5.5)
    assert fetcher.asked[""] == 100


async def test_the_targets_of_a_large_fleet_begin_while_other_work_is_done(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each target takes a tenth of a step, however busy the machine is.
    moments = count(0.0, 0.0001)
    monkeypatch.setattr("pprof_exporter.scrape.pool.TimeSlices", lambda: TimeSlices(moments.__next__))
    pool, seen = make(*(f"shop-{number}:1" for number in range(1000))), []
    while len(pool.states) < 1000:
        seen.append(len(pool.states))
        await asyncio.sleep(0)
    assert max(more - less for less, more in pairwise([0, *seen])) <= 100
    assert len(seen) > 50


async def test_a_new_configuration_leaves_unchanged_targets_alone(
    make: Make, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.takes["profile"] = 1
    pool = make("stays:1", "goes:1")
    await clock.advance(3)
    stays = pool.states[1]
    assert fetcher.running["profile"] == 2
    pool.apply(settings("stays:1", "comes:1"))
    await clock.advance(10)
    assert [state.target.name for state in pool.states] == ["comes:1", "stays:1"]
    assert pool.states[1] is stays
    assert stays.profiles["cpu"].counters.outcomes[Outcome.SUCCESS] == 1
    assert pool.states[0].up is True


async def test_a_target_whose_labels_changed_is_a_new_target(make: Make, clock: FakeClock) -> None:
    pool = make("shop:1")
    await clock.advance(3)
    pool.apply(settings(parse_target("shop:1", labels={"team": "blue"})))
    assert dict(pool.states[0].target.labels) == {"team": "blue"}
    assert pool.states[0].up is None


async def test_changed_intervals_start_every_target_anew(make: Make, clock: FakeClock, fetcher: FakeFetcher) -> None:
    pool = make("shop:1")
    await clock.advance(10)
    same = settings("shop:1")
    pool.apply(replace(same, profiles={**same.profiles, "heap": ProfileSettings(interval=5)}))
    before = fetcher.asked["heap"]
    await clock.advance(100)
    assert fetcher.asked["heap"] - before == pytest.approx(20, abs=2)


async def test_closing_waits_for_fetches_up_to_its_deadline_and_cuts_the_rest(
    clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = pool_of(clock, fetcher, "shop:1")
    fetcher.takes["heap"] = 10_000
    await clock.advance(1)
    assert pool.limiter.in_flight == 2
    await asyncio.wait_for(pool.close(0.05), timeout=60)
    assert pool.limiter.in_flight == 0


async def test_the_lag_of_the_event_loop_is_measured(make: Make, clock: FakeClock) -> None:
    pool = make()
    await clock.advance(10)
    assert sum(pool.lag_counts) == 20
    clock.time += 0.8
    await clock.advance(0)
    assert pool.lag_sum == pytest.approx(0.3)


class _HoldingFetcher(FakeFetcher):
    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("never reached")


async def test_places_are_limited_over_all_targets(clock: FakeClock) -> None:
    pool = pool_of(clock, _HoldingFetcher(clock), *(f"shop-{number}:1" for number in range(40)))
    await clock.advance(10)
    await settle()
    assert pool.limiter.in_flight == 16
    await pool.close(0)


async def test_what_changes_for_one_job_disturbs_no_fetch_of_another(
    make: Make, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    def of(*jobs: tuple[str, str]) -> Settings:
        found = [
            Job(name, client=ClientSettings(Authorization("Bearer", Secret(token)))).resolve(
                [TargetGroup((f"{name}:1",))]
            )
            for name, token in jobs
        ]
        return settings(*(target for job in found for target in job.targets))

    fetcher.takes["profile"] = 1
    pool = make()
    pool.apply(of(("stays", "a"), ("changes", "a")))
    await clock.advance(3)
    stays = pool.states[1]
    assert fetcher.running["profile"] == 2
    pool.apply(of(("stays", "a"), ("changes", "b")))
    await clock.advance(10)
    assert pool.states[1] is stays
    assert stays.profiles["cpu"].counters.outcomes[Outcome.SUCCESS] == 1
    assert pool.states[0].target.client.auth == Authorization("Bearer", Secret("b"))
    assert fetcher.clients[ClientSettings(Authorization("Bearer", Secret("b")))] > 0
    stays_with = fetcher.clients[stays.target.client]
    pool.apply(of(("stays", "a"), ("changes", "c")))
    assert fetcher.clients[stays.target.client] == stays_with


async def test_new_limits_hold_after_a_reload_and_a_process_keeps_its_one_cpu_profile(
    make: Make, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = make("shop:1")
    await clock.advance(3)
    assert fetcher.running["profile"] == 1
    same = settings("shop:1")
    pool.apply(replace(same, limits=replace(same.limits, concurrency=3, wire_bytes=5)))
    assert (pool.limiter.limit, fetcher.max_bytes) == (3, 5)
    await clock.advance(120)
    assert fetcher.asked["profile"] >= 2
    assert fetcher.most_running["profile"] == 1


class _Strict(FakeFetcher):
    """Notes what is asked for without the settings of the target."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.unbound: list[URL] = []

    def bind(self, client: ClientSettings, params: Params = ()) -> Getter:
        assert (client, params) == (TOKEN, (("tenant", "a"),))
        bound = FakeFetcher(self.clock)
        bound.asked = self.asked
        return bound

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        self.unbound.append(url)
        return await super().get(url, query=query, timeout=timeout, window=window, excerpt=excerpt)


TOKEN = ClientSettings(Authorization("Bearer", Secret("a")))


async def test_everything_that_is_asked_of_a_target_is_asked_with_its_settings(clock: FakeClock) -> None:
    fetcher = _Strict(clock)
    target = replace(parse_target("shop:1"), client=TOKEN, params=(("tenant", "a"),))
    pool = pool_of(clock, fetcher, target, stacks=True)
    await clock.advance(700)
    for path in ("", "metrics", "trace", "cmdline", "profile", "heap", "heap_debug1", "goroutine_debug2"):
        assert fetcher.asked[path] > 0, path
    assert fetcher.unbound == []
    await pool.close(0)
