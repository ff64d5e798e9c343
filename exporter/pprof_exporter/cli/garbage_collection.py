"""Python's garbage collector, for a program that keeps much and for long."""

from __future__ import annotations

import gc

from pprof_exporter.clock import Clock

# A collection of everything takes tens of milliseconds for a thousand targets, in which nothing else happens.
_FIRST_AFTER = 120.0
_EVERY = 600.0
# Objects made before the youngest are looked through; with Python's 700, all of them are far too often.
_YOUNG = 20_000


async def collect_garbage_seldom(clock: Clock) -> None:
    """Look through what stays for long every ten minutes only, and meanwhile through what is new; never returns."""
    gc.set_threshold(_YOUNG, 10, 10)
    await clock.sleep(_FIRST_AFTER)
    while True:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        await clock.sleep(_EVERY)
