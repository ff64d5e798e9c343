"""However often a target changes the names that it sends, the number of its series has a bound."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from benchmarks.soak.programs import PROFILES, made_profile
from pprof_exporter.exposition.sink import MetricSink
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape import TargetState
from pprof_exporter.scrape.state import auxiliary
from pprof_exporter.scrape.target import context
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of

CHANCE = random.Random(1)
FUNCTIONS = 10


@pytest.fixture(autouse=True)
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_INLINE_BYTES", 1 << 30)


def counted(state: TargetState, now: float) -> Counter[str]:
    """Series by family."""
    sink = MetricSink()
    TargetSeries(sink, state, now).add()
    return Counter(sample.name for metric in sink.metrics() for sample in metric.samples)


def dump(number: int) -> bytes:
    """Printed stacks with a state, function and creator of its own for each goroutine."""
    return b"".join(
        b"goroutine %d [state %d of %d, 5 minutes]:\nmain.f%d()\n\t/a.go:1 +0x1\n"
        b"created by main.g%d in goroutine 1\n\t/a.go:2 +0x2\n\n" % (one, one, number, one, number * 500 + one)
        for one in range(1, 500)
    )


async def run(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState, minutes: int, build: str = ""
) -> Counter[str]:
    """Other names in each minute; the most series that each family had."""
    most: Counter[str] = Counter()
    for minute in range(minutes):
        for path in PROFILES:
            names = f"v{CHANCE.getrandbits(60):x}"
            fetcher.bodies[path] = made_profile(path, names, build or names, clock.now() - 1)
        fetcher.bodies["goroutine_debug2"] = dump(minute)
        await clock.advance(60)
        most |= counted(state, clock.now())
    return most


async def test_function_names_that_change_at_every_fetch_add_no_series(clock: FakeClock, fetcher: FakeFetcher) -> None:
    pool = pool_of(clock, fetcher, "shop:1", stacks=True)
    first = await run(clock, fetcher, pool.states[0], 60, "same")
    later = await run(clock, fetcher, pool.states[0], 60, "same")
    await pool.close(0)
    assert {name: (first[name], count) for name, count in later.items() if count > first[name]} == {}
    assert FUNCTIONS < later["pprof_function_heap_inuse_bytes"] <= 2 * FUNCTIONS + 1
    assert later["pprof_goroutine_longest_wait_seconds"] == auxiliary._MOST_STATES


async def test_builds_that_change_all_the_time_add_no_series(clock: FakeClock, fetcher: FakeFetcher) -> None:
    pool = pool_of(clock, fetcher, "shop:1")
    first = await run(clock, fetcher, pool.states[0], 60)
    later = await run(clock, fetcher, pool.states[0], 60)
    await pool.close(0)
    assert {name: (first[name], count) for name, count in later.items() if count > first[name]} == {}
