"""What a Linux kernel and Go do about CPU samples, in a few lines, to compute what was not measured: other tick rates.

Each thread has a timer on its own CPU time, with a random first expiry within one period (Go 1.18 and later,
runtime/os_linux.go setThreadCPUProfiler). The kernel looks at it only in the tick that finds the thread running
(kernel/time/posix-cpu-timers.c run_posix_cpu_timers). Whatever number of periods has passed, that is one signal
(bump_cpu_timer counts the others as overruns), and one signal is one sample (runtime/proc.go sigprof).

Two losses follow. A period without a tick in it is never counted: with ticks that come independently of the work, that
is exp(-period * ticks per second) of all, 8 % at 250 Hz. And at the end of the profile each thread has CPU time whose
tick has not come: 1 / ticks per second of CPU time for each thread and profile, most of what a light program uses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from benchmarks.coverage.cells import WAKING, WINDOW, Load

PERIOD = 0.01
"""Seconds of CPU time between two samples at Go's 100 Hz."""


def coverage(load: Load, threads: int, ticks: float, *, windows: int = 40, seed: int = 1) -> float:
    """Accounted by used CPU time of `threads` threads on a kernel with `ticks` per second.

    Half of what waking costs is the thread's own, the other half that of one more thread, which wakes all others.
    """
    chance = random.Random(seed)  # noqa: S311
    used = accounted = 0.0
    for _ in range(windows):
        workers = [list(_bursts(load, chance)) for _ in range(threads)]
        waking = sorted((start - WAKING / 2, WAKING / 2) for worker in workers for start, _ in worker)
        for bursts in [*workers, *([waking] if load.period else [])]:
            used += sum(length for _, length in bursts)
            accounted += PERIOD * _samples(bursts, ticks, chance)
    return accounted / used


def expected(used: float, threads: int, ticks: float) -> float:
    """Coverage of a program of short bursts that uses `used` CPU seconds in one profile, in closed form."""
    return max(0.0, 1 - math.exp(-PERIOD * ticks) - threads / ticks / used)


def _bursts(load: Load, chance: random.Random) -> Iterator[tuple[float, float]]:
    """Start and CPU time of each burst within a window."""
    if not load.period:
        yield 0.0, float(WINDOW)
        return
    length = load.burst + WAKING / 2
    at = chance.uniform(0, load.period)
    while at + length < WINDOW:
        yield at, length
        at += length + (load.period - load.burst) * chance.uniform(0.5, 1.5)


def _samples(bursts: list[tuple[float, float]], ticks: float, chance: random.Random) -> int:
    every, phase = 1 / ticks, chance.uniform(0, 1 / ticks)
    expiry, used, samples = chance.uniform(0, PERIOD), 0.0, 0
    for start, length in bursts:
        number = math.ceil((start - phase) / every)
        while (tick := phase + number * every) < start + length:
            passed = used + tick - start - expiry
            if passed >= 0:
                samples += 1
                expiry += PERIOD * (1 + passed // PERIOD)
            number += 1
        used += length
    return samples
