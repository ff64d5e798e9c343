"""New objects are collected in small steps, old ones seldom, and sooner if memory doubles."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator

import pytest

from pprof_exporter.cli.interpreter import collect_garbage_in_steps
from tests.scrape.fakes import FakeClock


class Knot:
    """Refers to itself, so that only the collector frees it."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Knot.alive += 1

    def __del__(self) -> None:
        Knot.alive -= 1


@pytest.fixture
async def clock() -> AsyncIterator[FakeClock]:
    """The time of a collector that has begun."""
    thresholds, clock = gc.get_threshold(), FakeClock()
    Knot.alive = 0
    task = asyncio.create_task(collect_garbage_in_steps(clock))
    await clock.advance(1)
    yield clock
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    gc.unfreeze()
    gc.set_threshold(*thresholds)


async def test_new_garbage_is_gone_within_a_step(clock: FakeClock) -> None:
    Knot()
    assert Knot.alive == 1
    await clock.advance(0.5)
    assert Knot.alive == 0


async def test_what_is_left_after_a_step_is_not_looked_at_again_soon(clock: FakeClock) -> None:
    kept = [[number] for number in range(50_000)]
    await clock.advance(0.5)

    assert gc.get_freeze_count() > len(kept)
    assert len(gc.get_objects()) < 5_000


async def test_garbage_among_old_objects_goes_with_the_next_collection_of_everything(clock: FakeClock) -> None:
    kept = [Knot()]
    await clock.advance(1)
    kept.clear()
    await clock.advance(500)
    assert Knot.alive == 1
    await clock.advance(110)
    assert Knot.alive == 0


async def test_it_comes_sooner_when_memory_has_doubled(clock: FakeClock) -> None:
    await clock.advance(610)
    kept = [Knot()]
    await clock.advance(1)
    kept.clear()
    await clock.advance(10)
    assert Knot.alive == 1, "memory is as before"

    large = [[float(number)] for number in range(sys.getallocatedblocks())]
    await clock.advance(1)
    assert Knot.alive == 0
    assert large


async def test_a_burst_of_garbage_does_not_wait_for_the_step(clock: FakeClock) -> None:
    for _ in range(200_000):
        Knot()
    assert Knot.alive <= 100_001
    assert clock.time
