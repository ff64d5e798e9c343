"""A function moved if neither chance between rounds nor sampling of allocations explains the change of its share."""

from __future__ import annotations

import math
from random import Random

import pytest

from pprof_exporter.compare.functions import assess_functions
from pprof_exporter.compare.releases import CrossedReleases
from pprof_exporter.compare.report import Movement

PERIOD = 512 << 10
"""Bytes between two sampled allocations, on average (runtime.MemProfileRate)."""
ROUNDS = 7
CACHE, INDEX, REST = "main.fillCache", "main.fillIndex", "main.rest"
Heap = tuple[dict[str, float], float]
"""Shares of functions, and about how many samples they are."""


def sampled(random: Random, *, blocks: int = 24, strings: int = 24 * 512, rest: int = 2 << 20) -> Heap:
    """A heap as Go samples it: blocks of 768 KiB, strings of 480 bytes, and other bytes in small pieces."""
    in_use = {
        CACHE: estimated(random, 768 << 10, blocks),
        INDEX: estimated(random, 480, strings),
        REST: estimated(random, 64, rest // 64),
    }
    total = sum(in_use.values())
    return {name: value / total for name, value in in_use.items()}, total / PERIOD


def estimated(random: Random, size: int, count: int) -> float:
    """Bytes that a profile shows for so many allocations of one size (runtime/pprof scaleHeapSample)."""
    seen, next_sample = 0, random.expovariate(1 / PERIOD)
    while next_sample < size * count:
        seen += 1
        # At most one sample an allocation, however large it is.
        next_sample = max(next_sample, (next_sample // size + 1) * size) + random.expovariate(1 / PERIOD)
    return seen * size / (1 - math.exp(-size / PERIOD))


def movements(before: Heap, after: Heap) -> dict[str, Movement]:
    """By function. Rounds of one process show the same allocations again and again."""
    found = assess_functions(
        "heap",
        [before[0]] * ROUNDS,
        [after[0]] * ROUNDS,
        min_change=0.05,
        crossed=CrossedReleases("1.27.3", "1.27.3", None),
        samples=(before[1], after[1]),
    )
    return {one.function: one.movement for one in found}


@pytest.mark.parametrize(("blocks", "strings"), [(24, 24 * 512), (6, 3000)], ids=["24 MiB", "6 MiB"])
def test_two_samples_of_one_heap_are_no_change_however_many_rounds_show_them(blocks: int, strings: int) -> None:
    random = Random(17)
    alarms = 0
    for _ in range(2000):
        before, after = (sampled(random, blocks=blocks, strings=strings) for _ in range(2))
        seen = movements(before, after)
        alarms += any(movement in (Movement.GREW, Movement.SHRANK) for movement in seen.values())
    assert alarms <= 2


def test_what_grew_by_more_than_sampling_explains_is_told() -> None:
    random = Random(18)
    for _ in range(200):
        seen = movements(sampled(random, blocks=100, strings=0), sampled(random, blocks=100, strings=240 * 512))
        assert seen[INDEX] is Movement.GREW
        assert seen[CACHE] is Movement.SHRANK


def test_a_small_change_is_told_of_a_heap_of_many_samples() -> None:
    shares = {CACHE: 0.3, INDEX: 0.7}
    grown = {CACHE: 0.36, INDEX: 0.64}
    assert movements((shares, 100.0), (grown, 100.0))[CACHE] is Movement.UNSURE
    assert movements((shares, 10_000.0), (grown, 10_000.0))[CACHE] is Movement.GREW
