"""Python's garbage collector, for a program that holds many objects for long."""

from __future__ import annotations

import gc

from pprof_exporter.clock import Clock

# A collection of everything takes tens of milliseconds for a thousand targets, in which the program stands still.
_FIRST_AFTER = 120.0
_EVERY = 600.0
# New objects before a collection of the youngest generation; Python's 700 collects all of them far too often.
_YOUNG = 20_000


async def collect_garbage_seldom(clock: Clock) -> None:
    """Collect old objects every ten minutes only, and new ones in between; never returns."""
    gc.set_threshold(_YOUNG, 10, 10)
    await clock.sleep(_FIRST_AFTER)
    while True:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        await clock.sleep(_EVERY)
