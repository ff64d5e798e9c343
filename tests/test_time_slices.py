"""Long work lets everything else run after a millisecond, and still ends where everything else takes long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from pprof_exporter.time_slices import TimeSlices


class Others:
    """Everything else in the event loop: each turn of it takes `seconds`."""

    def __init__(self) -> None:
        self.now, self.seconds, self.turns = 0.0, 0.0, 0

    async def run(self) -> None:
        """Take turns until cancelled."""
        while True:
            self.turns += 1
            self.now += self.seconds
            await asyncio.sleep(0)

    async def seen_during(self, steps: int, each: float) -> int:
        """How many turns they had during work of so many parts, each of which takes `each` seconds."""
        slices, before = TimeSlices(lambda: self.now), self.turns
        for _ in range(steps):
            self.now += each
            await slices.pause()
        return self.turns - before


@pytest.fixture
async def others() -> AsyncIterator[Others]:
    """Others that have begun."""
    made = Others()
    task = asyncio.ensure_future(made.run())
    await asyncio.sleep(0)
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_others_run_after_each_millisecond(others: Others) -> None:
    assert await others.seen_during(1_000, 0.0001) == pytest.approx(100, abs=10)


async def test_a_part_that_takes_longer_than_a_step_is_one(others: Others) -> None:
    assert await others.seen_during(20, 0.01) == 20


@pytest.mark.parametrize("turn", [0.1, 1.0])
async def test_work_takes_a_third_of_the_time_of_a_loop_that_is_overloaded(others: Others, turn: float) -> None:
    others.seconds = turn
    work = 30.0
    turns = await others.seen_during(30_000, work / 30_000)
    assert turns * turn == pytest.approx(2 * work, rel=0.1)


async def test_steps_are_short_again_once_the_loop_is_not(others: Others) -> None:
    others.seconds = 1.0
    await others.seen_during(2_000, 0.001)
    others.seconds = 0.0
    assert await others.seen_during(100, 0.001) == pytest.approx(100, abs=2)
