"""Garbage collection over hours: its share of the CPU samples, requested collections, and how full the heap is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.catalog import quality
from pprof_exporter.health import Reading
from pprof_exporter.profile import KINDS, MemStats, read_memstats
from pprof_exporter.scrape.state.gc_state import Collections, GcCpu, GcState
from tests.scrape.fakes import RECORDED
from tests.scrape.state.observations import observed

MINUTE = 60.0
HOUR = 60 * MINUTE
CPU = KINDS["cpu"]


def profiled(state: GcState, at: float, samples: float, of_gc: float) -> None:
    """A CPU profile of five seconds."""
    gc = Reading(quality.CPU_GC, of_gc)
    state.learn(CPU, observed("cpu", at, samples, samples / 100, readings=(gc,)))


@pytest.fixture(scope="module")
def memory() -> MemStats:
    return read_memstats((RECORDED / "heap_debug1.txt").read_bytes())


def test_the_share_of_a_small_program_is_that_of_two_hours() -> None:
    state = GcState()
    for minute in range(180):
        profiled(state, minute * MINUTE, 10, 9 if minute < 60 else 4)

    assert state.cpu == GcCpu(1200, 480, state.cpu.sampled_seconds, 600)
    assert state.cpu.sampled_seconds == pytest.approx(12)
    assert state.cpu.share == 0.4
    assert state.cpu.processors == pytest.approx(0.008)


def test_without_a_profile_nothing_is_known() -> None:
    state = GcState()
    state.learn(KINDS["heap"], observed("heap", 0, 1, 1))
    state.learn(CPU, observed("cpu", 0, None, None))

    assert (state.cpu.share, state.cpu.processors, state.collections) == (None, 0.0, None)


def test_of_one_reading_the_collections_since_the_start_count_and_then_those_of_the_last_hour(memory: MemStats) -> None:
    state = GcState()
    state.record(replace(memory, num_gc=1000, num_forced_gc=900), 0)
    assert state.collections == Collections(1000, 900, None, None)

    state.record(replace(memory, num_gc=1100, num_forced_gc=901), 5 * MINUTE)
    assert state.collections == Collections(100, 1, None, 1200.0)

    state.record(replace(memory, num_gc=2100, num_forced_gc=902), 64 * MINUTE)
    assert state.collections is not None
    assert (state.collections.cycles, state.collections.forced) == (1000, 1), (
        "the first reading is more than an hour old"
    )


def test_how_full_the_heap_is_follows_from_many_readings_with_a_collection_in_between(memory: MemStats) -> None:
    state = GcState()
    for i in range(8):
        assert state.collections is None or state.collections.least_fill is None
        state.record(replace(memory, num_gc=10 + i, heap_alloc=960 + i, next_gc=1000), i * 5 * MINUTE)

    assert state.collections is not None
    assert state.collections.least_fill == 0.96


def test_a_heap_at_rest_says_nothing_about_how_full_it_becomes(memory: MemStats) -> None:
    state = GcState()
    for i in range(12):
        state.record(replace(memory, num_gc=10, heap_alloc=960, next_gc=1000), i * 5 * MINUTE)

    assert state.collections == Collections(0, 0, None, 0.0)


def test_a_text_without_the_count_of_requested_collections_leaves_it_unknown(memory: MemStats) -> None:
    state = GcState()
    state.record(replace(memory, num_forced_gc=None), 0)

    assert state.collections is not None
    assert state.collections.forced is None
