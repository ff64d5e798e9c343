"""What a process uses: rates within one process, each over the time that its source can resolve."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import quality
from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    GC_SHARE,
    HEAP_IN_USE,
    SAMPLED_PROCESSORS,
    THREADS,
    USED_PROCESSORS,
)
from pprof_exporter.health import Reading
from pprof_exporter.profile import KINDS, KnownGoVersion
from pprof_exporter.scrape.identity.facts import ProcessFacts
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuUse
from pprof_exporter.scrape.state.observation import Observation
from pprof_exporter.scrape.state.resources import ResourceState


def found(*sums: float | None, at: float = 0.0, profiled: float = 0.0, gc: float = 0.0) -> Observation:
    facts = ProcessFacts(None, (), KnownGoVersion())
    readings = (Reading(quality.CPU_GC, gc),)
    return Observation(at, 0.01, 1, 1, sums, (None,) * len(sums), profiled, 0, 0, facts, readings)


def learn(
    state: ResourceState, kind: str, observation: Observation, *, contention: bool | None = True
) -> dict[str, float]:
    return dict(state.learn(KINDS[kind], observation, contention=contention))


def allocations(*readings: tuple[float, float]) -> list[dict[str, float]]:
    state = ResourceState()
    return [learn(state, "allocs", found(0, total, at=at)) for at, total in readings]


def test_levels_are_those_of_the_profile() -> None:
    state = ResourceState()
    assert learn(state, "heap", found(10, 5e6)) == {HEAP_IN_USE: 5e6}
    assert learn(state, "threadcreate", found(12)) == {THREADS: 12}
    assert learn(state, "heap", found(None, None)) == {}


def test_the_allocation_rate_is_over_the_time_since_the_total_rose_before() -> None:
    # A collection every two minutes, a profile every one.
    steps = [(0, 0), (60, 0), (120, 120e6), (180, 120e6), (240, 240e6)]
    assert allocations(*steps) == [{}, {}, {ALLOCATION: 1e6}, {}, {ALLOCATION: 1e6}]


def test_a_program_that_allocates_nothing_has_a_rate_of_zero_in_the_end() -> None:
    assert allocations(*((60 * i, 7e6) for i in range(7)))[-2:] == [{ALLOCATION: 0}, {}]


def test_totals_of_another_process_give_no_rate() -> None:
    state = ResourceState()
    learn(state, "allocs", found(0, 9e9, at=0))
    learn(state, "mutex", found(0, 90.0, at=0))
    state.begin_process()
    assert learn(state, "allocs", found(0, 9.9e9, at=60)) == {}
    assert learn(state, "mutex", found(0, 99.0, at=60)) == {}
    assert learn(state, "mutex", found(0, 102.0, at=120)) == {CONTENTION: 0.05}


@pytest.mark.parametrize("contention", [None, False])
def test_contention_that_is_not_recorded_is_unknown(*, contention: bool | None) -> None:
    state = ResourceState()
    learn(state, "mutex", found(0, 0.0, at=0))
    assert learn(state, "mutex", found(0, 0.0, at=60), contention=contention) == {}
    assert learn(state, "mutex", found(0, 5.0, at=120)) == {}, "an hour without records is no hour without contention"


def test_cpu_time_is_that_of_the_window_and_of_one_profile() -> None:
    state = ResourceState()
    state.used = CpuUse(2.5, CpuSource.METRICS)
    # Up to Go 1.25 a profile of five seconds ends up to 0.2 s late.
    assert learn(state, "cpu", found(20, 0.2, profiled=5.18)) == {
        USED_PROCESSORS: 0.5,
        SAMPLED_PROCESSORS: pytest.approx(0.0386, 0.01),
    }
    assert USED_PROCESSORS not in learn(state, "cpu", found(20, 0.2, profiled=5.0))


def test_the_share_of_collection_waits_for_enough_samples() -> None:
    state = ResourceState()
    shares = [learn(state, "cpu", found(40, 0.4, profiled=5, gc=10)) for _ in range(6)]
    assert [GC_SHARE in one for one in shares] == [False, False, True] * 2
    assert shares[2][GC_SHARE] == shares[5][GC_SHARE] == 0.25
