"""What stays for long is looked through seldom, and what is new all the time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator

import pytest

from pprof_exporter.cli.interpreter import collect_garbage_seldom
from tests.scrape.fakes import FakeClock


@pytest.fixture
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("_as_before")
async def test_what_stays_is_set_apart_after_a_while_and_garbage_among_it_goes_later() -> None:
    class Knot:
        """Refers to itself, so that only the collector frees it."""

        def __init__(self) -> None:
            self.me = self

    def knots() -> int:
        return sum(isinstance(found, Knot) for found in gc.get_objects())

    clock, kept = FakeClock(), [Knot()]
    task = asyncio.create_task(collect_garbage_seldom(clock))
    await clock.advance(130)
    assert gc.get_freeze_count() > 10_000
    assert knots() == 0, "it is set apart"
    kept.clear()
    await clock.advance(3600)
    gc.unfreeze()
    assert knots() == 0, "it is gone"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
