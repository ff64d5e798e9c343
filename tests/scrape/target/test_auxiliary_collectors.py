"""Looks besides the profiles: the canary while a CPU profile runs and while none runs, and pauses of the collector."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from random import Random

import pytest

from pprof_exporter.catalog import Reason, quality
from pprof_exporter.catalog.vocabulary import MEMSTATS
from pprof_exporter.config import ProfileSettings
from pprof_exporter.config.jobs import ProfileModel
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.health import Reading
from pprof_exporter.profile import KINDS, read_memstats
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.auxiliary import MemStatsState
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.store import Store
from tests.scrape.fakes import MISSING, RECORDED, FakeClock, FakeFetcher, failing, pool_of, settings
from tests.scrape.state.observations import observed

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


def page_with(fetcher: FakeFetcher, collections: Callable[[], float]) -> None:
    """Let the metrics page of the target state the figures of its heap; `collections` is their number now."""
    recorded, text = ((RECORDED / name).read_bytes() for name in ("metrics.txt", "heap_debug1.txt"))

    class Bodies(dict[str, bytes]):
        def get(self, path: str, default: bytes | None = None) -> bytes | None:  # type: ignore[override]  # see FakeFetcher
            if path == "heap_debug1":
                return re.sub(rb"# NumGC = \d+", b"# NumGC = %d" % collections(), text)
            if path != "metrics":
                return super().get(path, default)
            return (
                recorded
                + (
                    f"go_memstats_heap_alloc_bytes 6e+06\ngo_memstats_next_gc_bytes 8e+06\n"
                    f"go_memstats_buck_hash_sys_bytes 1.5e+06\ngo_gc_duration_seconds_count {collections():.0f}\n"
                ).encode()
            )

    fetcher.bodies = Bodies()


async def test_memory_statistics_come_more_seldom_where_the_metrics_page_tells_the_same(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    began = clock.time
    page_with(fetcher, lambda: BEFORE.num_gc + (clock.time - began) // 60)
    await clock.advance(6 * 3600)
    assert fetcher.asked["heap_debug1"] == pytest.approx(6 * 3600 / 1500, abs=2)
    state = pool.states[0]
    assert state.memstats.figures is not None
    assert state.memstats.figures.next_gc == 8_000_000
    assert clock.now() - state.memstats.figures_at <= 60
    found = state.gc.collections
    assert found is not None
    assert found.least_fill == BEFORE.heap_alloc / BEFORE.next_gc < 0.75
    assert found.per_hour == pytest.approx(60, rel=0.1)
    assert state.memstats.counters.skipped == {}, "a fetch that is not needed is not skipped"


async def test_memory_statistics_come_as_before_when_the_ring_of_pauses_overflows(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    began = clock.time
    page_with(fetcher, lambda: BEFORE.num_gc + 2 * (clock.time - began))
    await clock.advance(3600)
    assert fetcher.asked["heap_debug1"] == pytest.approx(12, abs=2)


async def test_memory_statistics_come_as_before_after_the_page_was_lost(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    page_with(fetcher, lambda: BEFORE.num_gc)
    await clock.advance(1400)
    assert fetcher.asked["heap_debug1"] <= 2
    fetcher.faults["metrics"] = MISSING
    before = fetcher.asked["heap_debug1"]
    await clock.advance(3600)
    assert fetcher.asked["heap_debug1"] - before == pytest.approx(12, abs=2)


@pytest.mark.parametrize("trouble", ["collections", "goroutines"])
async def test_memory_statistics_come_as_before_while_they_explain_trouble(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher, trouble: str
) -> None:
    page_with(fetcher, lambda: BEFORE.num_gc)
    await clock.advance(1400)
    state, before = pool.states[0], fetcher.asked["heap_debug1"]
    if trouble == "goroutines":
        fetcher.faults["goroutine"] = failing(FetchError(Reason.TIMEOUT_HEADER, "connected, no reply"))
        state.wedge.hangs["goroutine"] = True
    else:
        for minute in range(120):
            gc = Reading(quality.CPU_GC, 90.0)
            state.gc.learn(KINDS["cpu"], observed("cpu", clock.now() + minute, 100, 1, readings=(gc,)))
    await clock.advance(310)
    assert fetcher.asked["heap_debug1"] == before + 1


async def test_an_interval_that_the_user_set_is_obeyed(clock: FakeClock, fetcher: FakeFetcher) -> None:
    page_with(fetcher, lambda: BEFORE.num_gc)
    known = default_profiles()
    assert known[MEMSTATS].beside_page is not None
    own = ProfileModel(interval="5m").merged(known[MEMSTATS])
    assert own == ProfileSettings(300)
    assert ProfileModel(enabled=True).merged(known[MEMSTATS]) == known[MEMSTATS]
    chosen = replace(settings("shop:1"), profiles=known | {MEMSTATS: own})
    store = Store.open(None, clock.time)
    pool = Pool(chosen, fetcher=fetcher, clock=clock, random=Random(1), store=store)
    await clock.advance(3600)
    assert fetcher.asked["heap_debug1"] == pytest.approx(12, abs=2)
    await pool.close(0)


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
