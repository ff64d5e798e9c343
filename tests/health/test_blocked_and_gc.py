"""Samples of waiting threads are told from work on Windows, where Go takes both."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.blocked_and_gc import blocked_and_gc
from pprof_exporter.profile.function_names.traits import is_blocked
from tests.health.readings import by_name, with_sample
from tests.recorded import LINUX, PROGRAMS, WINDOWS, profile

BLOCKED = "pprof_cpu_blocked_samples_total"
COLLECTING = "pprof_cpu_gc_samples_total"


def test_every_thread_in_a_sleeping_system_call_is_blocked_all_the_time() -> None:
    for program in WINDOWS:
        found = by_name(blocked_and_gc(FetchedProfile(profile(program, "cpu_syscall4"))))
        # Four threads, two seconds, 100 ticks a second.
        assert found[BLOCKED] == pytest.approx(800, rel=0.1)


@pytest.mark.parametrize("program", WINDOWS)
def test_a_busy_program_is_hardly_blocked(program: str) -> None:
    cpu = profile(program, "cpu_burn1")
    blocked = by_name(blocked_and_gc(FetchedProfile(cpu)))[BLOCKED]
    assert blocked is not None
    assert blocked < 0.1 * sum(sample.values[0] for sample in cpu.samples)


@pytest.mark.parametrize("program", LINUX)
def test_linux_samples_no_thread_that_waits(program: str) -> None:
    assert set(by_name(blocked_and_gc(FetchedProfile(profile(program, "cpu_syscall4"))))) == {COLLECTING}


@pytest.mark.parametrize("program", PROGRAMS)
def test_collection_counts_wherever_it_stands_on_the_stack(program: str) -> None:
    cpu = profile(program, "cpu_burn1")
    before = by_name(blocked_and_gc(FetchedProfile(cpu)))[COLLECTING]
    assert before is not None
    more = with_sample(cpu, ["runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker"], (7, 70_000_000))
    assert by_name(blocked_and_gc(FetchedProfile(more)))[COLLECTING] == before + 7


@pytest.mark.parametrize("kind", ["heap", "goroutine", "block"])
def test_only_cpu_profiles_are_judged(kind: str) -> None:
    assert blocked_and_gc(FetchedProfile(profile(WINDOWS[0], kind))) == []


@pytest.mark.parametrize(
    "name",
    ["runtime.cgocall", "runtime.stdcall", "runtime.stdcall7", "runtime.asmstdcall.abi0", "syscall.SyscallN"],
)
def test_an_entry_to_a_system_call_is_blocked(name: str) -> None:
    assert is_blocked(name)


@pytest.mark.parametrize("name", ["", "main.burn", "runtime.cgocallback", "main.Syscall", "syscall.Open", "runtime.gc"])
def test_anything_else_is_work(name: str) -> None:
    assert not is_blocked(name)
