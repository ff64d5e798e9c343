"""Go names every function that it samples; the share of value that has no name tells when it does not."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.symbols import symbols
from pprof_exporter.profile import Profile
from tests.health.readings import by_name, with_sample
from tests.profile.changed import changed
from tests.recorded import FOREIGN, PROGRAMS, profile, replies

UNSYMBOLIZED = "pprof_unsymbolized_ratio"
INLINED = "pprof_inlined_location_ratio"


def read(judged: Profile) -> dict[str, float | None]:
    return by_name(symbols(FetchedProfile(judged)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_profile_of_go_is_symbolized(program: str) -> None:
    for name in replies(program):
        if name.endswith(".pb.gz") and not name.startswith("threadcreate") and "delta" not in name:
            judged = profile(program, name)
            ratio = read(judged)[UNSYMBOLIZED]
            assert ratio == 0 or (ratio is None and not any(any(sample.values) for sample in judged.samples)), name


@pytest.mark.parametrize("file", ["threadcreate", "threadcreate_syscall4"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_thread_creation_has_no_symbols_and_tells_nothing(program: str, file: str) -> None:
    assert symbols(FetchedProfile(profile(program, file))) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_go_inlines(program: str) -> None:
    ratio = read(profile(program, "allocs_retained"))[INLINED]
    assert ratio is not None
    assert 0.03 < ratio < 0.3


@pytest.mark.parametrize("file", ["heap", "block_contended"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_handful_of_locations_does_not_tell_whether_go_inlines(program: str, file: str) -> None:
    assert read(profile(program, file))[INLINED] is None


def test_the_share_is_one_of_value_in_any_frame() -> None:
    cpu = profile(PROGRAMS[0], "cpu_burn1")
    total = sum(sample.values[1] for sample in cpu.samples)
    assert read(with_sample(cpu, ["main.f", ""], (1, total)))[UNSYMBOLIZED] == 0.5
    assert read(with_sample(cpu, ["", "main.f"], (1, 3 * total)))[UNSYMBOLIZED] == 0.75
    assert read(with_sample(cpu, [], (1, total)))[UNSYMBOLIZED] == 0


def test_a_program_without_symbols_shows() -> None:
    ratio = read(profile(FOREIGN.name, "cpp-cpu-go.pb.gz"))[UNSYMBOLIZED]
    assert ratio is not None
    assert ratio > 0.9


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_heap_with_nothing_in_use_is_judged_by_its_allocations(program: str) -> None:
    heap = profile(program, "heap_retained")
    freed = changed(heap, samples=tuple(sample._replace(values=(*sample.values[:2], 0, 0)) for sample in heap.samples))
    assert read(freed)[UNSYMBOLIZED] == 0
    allocated = sum(sample.values[1] for sample in heap.samples)
    assert read(with_sample(freed, [""], (1, allocated, 0, 0)))[UNSYMBOLIZED] == 0.5
    empty = changed(heap, samples=tuple(sample._replace(values=(0, 0, 0, 0)) for sample in heap.samples))
    assert read(empty)[UNSYMBOLIZED] is None


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_difference_has_no_shares(program: str) -> None:
    assert read(profile(program, "goroutine_delta_negative"))[UNSYMBOLIZED] is None
