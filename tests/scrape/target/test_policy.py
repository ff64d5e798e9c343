"""A fetch whose time has come is not made while it would bring nothing, or do harm; and nothing waits for ever."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from random import Random

import pytest

from pprof_exporter.catalog import Deferral, Outcome, Reason, Skip
from pprof_exporter.config import Settings
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.target_state import ProfileState
from pprof_exporter.store import Store
from tests.scrape.fakes import MISSING, RECORDED, FakeClock, FakeFetcher, failing, settings

TARGET = "shop:6060"
HEAVY = ("heap", "allocs", "block", "mutex")
LIGHT = ("goroutine", "threadcreate")


class Watching:
    """A pool of one target, made with settings of its own."""

    def __init__(self, clock: FakeClock, fetcher: FakeFetcher) -> None:
        self._clock = clock
        self._fetcher = fetcher
        self.pools: list[Pool] = []

    def __call__(self, **changes: object) -> Pool:
        chosen: Settings = dataclasses.replace(settings(TARGET), **changes)  # type: ignore[arg-type] # by name
        store = Store.open(None, self._clock.time)
        self.pools.append(Pool(chosen, fetcher=self._fetcher, clock=self._clock, random=Random(1), store=store))
        return self.pools[-1]


@pytest.fixture
async def watch(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Watching]:
    watching = Watching(clock, fetcher)
    yield watching
    for pool in watching.pools:
        await pool.close(0)


def profile(pool: Pool, name: str) -> ProfileState:
    return pool.states[0].profiles[name]


def deferred(pool: Pool, reason: Deferral) -> set[str]:
    return {name for name, state in pool.states[0].profiles.items() if state.counters.deferred[reason]}


def index_with(**counts: int) -> bytes:
    body = (RECORDED.parent / "linux-go1.21.13" / "index.html").read_bytes()
    for name, count in counts.items():
        before, row, after = body.partition(f"<a href='{name}?debug=1'>".encode())
        assert row
        cut = before.rindex(b"<tr><td>") + len(b"<tr><td>")
        body = before[:cut] + str(count).encode() + before[before.index(b"</td>", cut) :] + row + after
    return body


async def test_defaults_defer_nothing_of_a_healthy_target(watch: Watching, clock: FakeClock) -> None:
    pool = watch()
    await clock.advance(3600)
    all_counters = [counters for _, counters in pool.states[0].counters.items()]
    assert not any(counters.deferred or counters.overdue for counters in all_counters)
    assert not any(counters.skipped for counters in all_counters)


async def test_a_budget_that_windows_exceed_makes_them_rarer(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = watch(budget=0.04)
    await clock.advance(9_000)
    assert 0.035 < pool.states[0].budget.spent / 9_000 < 0.045
    assert profile(pool, "cpu").counters.deferred[Deferral.BUDGET] > 50
    assert fetcher.asked["goroutine"] == pytest.approx(300, abs=2)


async def test_heavy_profiles_wait_while_the_canary_is_not_answered(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = watch()
    await clock.advance(120)
    fetcher.faults["cmdline"] = failing(FetchError(Reason.TIMEOUT_HEADER, "no reply"))
    fetcher.asked.clear()
    await clock.advance(240)
    assert deferred(pool, Deferral.SLOW) >= {"cpu", *HEAVY}
    assert not {name for name in LIGHT if profile(pool, name).counters.deferred}
    assert fetcher.asked["goroutine"] >= 7
    assert fetcher.asked["heap"] <= 1
    fetcher.faults.clear()
    await clock.advance(120)
    assert fetcher.asked["heap"] >= 3


async def test_nothing_is_put_off_for_longer_than_five_minutes(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = watch()
    fetcher.faults["cmdline"] = failing(FetchError(Reason.TIMEOUT_HEADER, "no reply"))
    await clock.advance(120)
    fetcher.asked.clear()
    await clock.advance(3600)
    assert 10 <= fetcher.asked["heap"] <= 12
    assert profile(pool, "heap").counters.overdue == pytest.approx(11, abs=1)


async def test_deferral_can_be_switched_off(watch: Watching, clock: FakeClock, fetcher: FakeFetcher) -> None:
    pool = watch(budget=0.01, defer_at_most=0)
    fetcher.faults["cmdline"] = failing(FetchError(Reason.TIMEOUT_HEADER, "no reply"))
    await clock.advance(3600)
    assert fetcher.asked["heap"] == pytest.approx(120, abs=2)
    assert not profile(pool, "heap").counters.deferred
    assert not profile(pool, "heap").counters.overdue


async def test_a_target_that_uses_all_its_processors_is_left_alone_but_for_its_cpu_profile(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    body = fetcher._recorded("metrics")
    processors = int(next(line.split()[1] for line in body.splitlines() if line.startswith(b"go_sched_gomaxprocs")))
    fetcher.cpu_seconds = 0.95 * processors
    pool = watch()
    await clock.advance(120)
    fetcher.asked.clear()
    await clock.advance(240)
    assert deferred(pool, Deferral.CPU) >= set(HEAVY)
    assert fetcher.asked["profile"] >= 3
    fetcher.cpu_seconds = 0.5 * processors
    # One more window runs partly under the old load.
    await clock.advance(120)
    fetcher.asked.clear()
    await clock.advance(120)
    assert fetcher.asked["heap"] == pytest.approx(4, abs=1)


async def test_a_slow_canary_is_measured_by_what_is_usual_for_the_target(watch: Watching, clock: FakeClock) -> None:
    pool = watch()
    await clock.advance(1)
    canary = pool.states[0].canary
    for seconds in [0.3] * 20:
        canary.record(canary.during, seconds)
        assert not canary.is_slow(), "far away, and always so"
    canary.record(canary.during, 1.3)
    assert canary.is_slow()
    for seconds in [0.001] * 20:
        canary.record(canary.during, seconds)
    canary.record(canary.during, 0.2)
    assert not canary.is_slow(), "more than usual, and not slow"
    canary.record(canary.during, 0.3)
    assert canary.is_slow()
    clock.time += 100
    assert not canary.is_slow(), "too long ago"


@pytest.mark.parametrize(("count", "fetched"), [(10_000, True), (10_001, False)])
async def test_an_old_go_with_many_goroutines_is_not_stopped_for_a_profile_of_them(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher, count: int, *, fetched: bool
) -> None:
    fetcher.bodies[""] = index_with(goroutine=count)
    # Nothing else tells a version: no metrics page, no profile of a Go that writes start lines.
    fetcher.faults["metrics"] = MISSING
    pool = watch(
        profiles={
            name: dataclasses.replace(known, enabled=name == "goroutine")
            for name, known in settings(TARGET).profiles.items()
        }
    )
    await clock.advance(1)
    assert bool(fetcher.asked["goroutine"]) is fetched
    assert bool(profile(pool, "goroutine").counters.skipped[Skip.GUARD]) is not fetched


async def test_a_go_that_copies_stacks_while_the_world_runs_may_have_many_goroutines(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    pool = watch()
    await clock.advance(120)
    fetcher.bodies[""] = index_with(goroutine=1_000_000)
    fetcher.asked.clear()
    await clock.advance(120)
    assert fetcher.asked["goroutine"] >= 3
    assert not profile(pool, "goroutine").counters.skipped


async def test_a_heap_of_very_many_records_is_not_walked(
    watch: Watching, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.bodies[""] = index_with(heap=100_001)
    pool = watch()
    await clock.advance(120)
    assert fetcher.asked["heap"] == fetcher.asked["allocs"] == 0
    assert profile(pool, "heap").counters.skipped[Skip.GUARD] >= 3
    assert profile(pool, "goroutine").counters.outcomes[Outcome.SUCCESS] >= 3
