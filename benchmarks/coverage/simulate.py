"""What a Linux kernel and Go do about CPU samples, in a few lines, to compute what was not measured: other tick rates.

Each thread has a timer on its own CPU time, with a random first expiry within one period (Go 1.18 and later,
runtime/os_linux.go setThreadCPUProfiler). The kernel looks at it only in a tick that finds the thread running
(kernel/time/posix-cpu-timers.c run_posix_cpu_timers). However many periods have passed by then, that is one signal
(bump_cpu_timer counts the others as overruns), and one signal is one sample (runtime/proc.go sigprof).

Two losses follow. A period without a tick in it is never counted: with ticks that come independently of the work, that
is exp(-period * ticks per second) of all, 8 % at 250 a second. And at the end of the profile each thread has CPU time
whose tick has not come, 1 / ticks per second of it: most of what a light program uses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from benchmarks.coverage.cells import WINDOW, Load

PERIOD = 0.01
"""Seconds of CPU time between two samples at Go's 100 Hz."""
OTHERS = 4
"""Threads of the Go scheduler that wake the workers."""


def coverage(load: Load, threads: int, cores: float, ticks: float, *, windows: int = 60, seed: int = 1) -> float:
    """Accounted by used CPU time of a program that uses `cores`, on a kernel with `ticks` per second.

    What it uses beyond the bursts is the cost of waking: half is a thread's own, the rest that of one of `OTHERS`.
    """
    chance = random.Random(seed)  # noqa: S311
    waking = max(0.0, cores / threads * load.period - load.burst) / 2
    used = accounted = 0.0
    for _ in range(windows):
        workers = [list(_bursts(load, load.burst + waking, chance)) for _ in range(threads)]
        others: list[list[tuple[float, float]]] = [[] for _ in range(OTHERS)]
        for start in sorted(start for worker in workers for start, _ in worker) if load.period else ():
            chance.choice(others).append((start - waking, waking))
        for bursts in (*workers, *others):
            used += sum(length for _, length in bursts)
            accounted += PERIOD * _samples(bursts, ticks, chance)
    return accounted / used


def expected(used: float, threads: int, ticks: float) -> float:
    """Coverage of short bursts that use `used` CPU seconds in one profile on so many threads, in closed form."""
    return max(0.0, 1 - math.exp(-PERIOD * ticks) - threads / ticks / used)


def _bursts(load: Load, length: float, chance: random.Random) -> Iterator[tuple[float, float]]:
    """Start and CPU time of each burst within a window."""
    if not load.period:
        yield 0.0, float(WINDOW)
        return
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
