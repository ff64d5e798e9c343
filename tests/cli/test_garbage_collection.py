"""New objects are collected in small steps, and old ones when memory has grown."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest

from pprof_exporter.cli.interpreter import collect_garbage_in_steps, resident_memory
from tests.scrape.fakes import FakeClock


class Knot:
    """Refers to itself, so that only the collector frees it."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Knot.alive += 1

    def __del__(self) -> None:
        Knot.alive -= 1


class Memory:
    """Memory of the process, as a test says."""

    bytes = 100

    def __call__(self) -> int:
        return self.bytes


@pytest.fixture
def memory() -> Memory:
    """A process of a hundred bytes."""
    return Memory()


@pytest.fixture
async def clock(memory: Memory) -> AsyncIterator[FakeClock]:
    """The time of a collector that has begun."""
    thresholds, clock = gc.get_threshold(), FakeClock()
    Knot.alive = 0
    task = asyncio.create_task(collect_garbage_in_steps(clock, memory))
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


async def old_garbage_waits_until(memory: Memory, size: int, clock: FakeClock) -> None:
    """What was in use for longer than a step and is garbage now goes when the process has so many bytes."""
    kept = [Knot()]
    await clock.advance(1)
    kept.clear()
    memory.bytes = size - 1
    await clock.advance(3_600)
    assert Knot.alive == 1
    memory.bytes = size
    await clock.advance(10)
    assert Knot.alive == 0


async def test_garbage_among_old_objects_waits_until_memory_has_doubled(clock: FakeClock, memory: Memory) -> None:
    await clock.advance(60)
    await old_garbage_waits_until(memory, 200, clock)


async def test_once_everything_was_collected_a_quarter_more_is_much(clock: FakeClock, memory: Memory) -> None:
    await clock.advance(60)
    memory.bytes = 200
    await clock.advance(10)
    await old_garbage_waits_until(memory, 250, clock)


def test_memory_is_that_of_the_process() -> None:
    before = resident_memory()
    kept = bytearray(b"x") * 50_000_000
    assert 45_000_000 < resident_memory() - before < 60_000_000
    assert kept


async def test_a_burst_of_garbage_does_not_wait_for_the_step(clock: FakeClock) -> None:
    for _ in range(200_000):
        Knot()
    assert Knot.alive <= 100_001
    assert clock.time
