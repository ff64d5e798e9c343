"""Stacks as deep as the runtime records are cut stacks."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.stacks import stacks
from pprof_exporter.profile import Profile
from tests.health.readings import value, with_sample
from tests.profile.changed import changed
from tests.recorded import PROGRAMS, profile


def cut(judged: Profile) -> float | None:
    fetched = FetchedProfile(judged)
    return value(fetched, stacks(fetched), "pprof_truncated_stack_ratio")


def goroutines(*depths: int) -> Profile:
    """One goroutine of each depth besides those of an idle program."""
    made = profile("linux-go1.27.3", "goroutine")
    for depth in depths:
        made = with_sample(made, [f"main.f{level}" for level in range(depth)], (1,))
    return made


def with_deep_allocation(heap: Profile) -> Profile:
    """One sampled allocation more, 32 frames deep."""
    frames = [f"main.f{level}" for level in range(32)]
    return with_sample(heap, frames, (1, heap.period, 1, heap.period))


@pytest.mark.parametrize("program", PROGRAMS)
def test_goroutines_parked_200_frames_deep_are_cut(program: str) -> None:
    # Five of them, the busy one is as deep; three more belong to the server.
    assert cut(profile(program, "goroutine_deep")) == pytest.approx(6 / 9)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_works_200_frames_deep_is_cut(program: str) -> None:
    ratio = cut(profile(program, "cpu_deep"))
    assert ratio is not None
    assert ratio > 0.9


@pytest.mark.parametrize(
    "file", ["cpu_burn1", "heap_retained", "allocs_retained", "block_contended", "goroutine_leaks"]
)
@pytest.mark.parametrize("program", PROGRAMS)
def test_ordinary_stacks_are_whole(program: str, file: str) -> None:
    assert cut(profile(program, file)) == 0


@pytest.mark.parametrize("file", ["heap", "allocs"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_heap_of_a_few_sampled_allocations_says_nothing(program: str, file: str) -> None:
    assert cut(profile(program, file)) is None
    assert cut(with_deep_allocation(profile(program, file))) is None


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name.endswith("go1.21.13")])
def test_in_a_heap_of_many_one_deep_allocation_is_a_small_share(program: str) -> None:
    ratio = cut(with_deep_allocation(profile(program, "heap_retained")))
    assert ratio is not None
    assert 0 < ratio < 0.05


@pytest.mark.parametrize("program", PROGRAMS)
def test_thread_creation_has_no_stacks(program: str) -> None:
    assert stacks(FetchedProfile(profile(program, "threadcreate"))) == []


def test_the_limit_is_the_one_that_nothing_exceeds() -> None:
    idle = sum(sample.values[0] for sample in goroutines().samples)
    assert cut(goroutines(31)) == 0
    assert cut(goroutines(31, 32)) == pytest.approx(1 / (idle + 2))
    assert cut(goroutines(32, 33)) == 0
    assert cut(goroutines(33, 127)) == 0
    assert cut(goroutines(127, 128, 128)) == pytest.approx(2 / (idle + 3))


def test_no_older_limit_is_guessed_where_functions_show_a_newer_go() -> None:
    frames = ["internal/runtime/maps.(*Map).grow", *(f"main.f{level}" for level in range(31))]
    assert cut(with_sample(goroutines(), frames, (1,))) == 0


def test_a_limit_of_the_programs_own_is_unknown() -> None:
    assert cut(goroutines(128, 129)) is None


def test_inlined_frames_count() -> None:
    made = goroutines(31)
    deepest = made.samples[-1]
    place = deepest.stack[0]
    leaf = made.locations[place]
    made = changed(made, locations={**made.locations, place: leaf._replace(lines=leaf.lines * 2)})
    assert cut(made) == pytest.approx(1 / sum(sample.values[0] for sample in made.samples))
