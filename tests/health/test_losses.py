"""Samples that the runtime itself books as lost or opaque are counted, none of them included."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.losses import losses
from pprof_exporter.profile.function_names.traits import LOST_FUNCTIONS, OPAQUE_FUNCTIONS
from tests.health.readings import by_name, with_sample
from tests.recorded import FOREIGN, PROGRAMS, profile

NAMES = {
    **{name: f"pprof_cpu_lost_samples_total {name}" for name in LOST_FUNCTIONS},
    **{name: f"pprof_cpu_opaque_samples_total {name}" for name in OPAQUE_FUNCTIONS},
}


@pytest.mark.parametrize("file", ["cpu_idle", "cpu_burn1", "cpu_burn2", "cpu_deep", "cpu_syscall4", "cpu_contended"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_healthy_programs_lose_nothing(program: str, file: str) -> None:
    assert by_name(losses(FetchedProfile(profile(program, file)))) == dict.fromkeys(NAMES.values(), 0)


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_counted_by_their_leaf(name: str) -> None:
    cpu = with_sample(profile(PROGRAMS[0], "cpu_burn1"), [name, "main.burn"], (42, 420_000_000))
    assert by_name(losses(FetchedProfile(cpu))) == {**dict.fromkeys(NAMES.values(), 0), NAMES[name]: 42}


@pytest.mark.parametrize("name", ["runtime._System", "runtime._GC"])
def test_a_known_function_without_callers_is_opaque_by_what_stands_below_it(name: str) -> None:
    cpu = with_sample(profile(PROGRAMS[0], "cpu_burn1"), ["runtime.memmove", name], (42, 420_000_000))
    assert by_name(losses(FetchedProfile(cpu))) == {**dict.fromkeys(NAMES.values(), 0), NAMES[name]: 42}


def test_each_sample_counts_once() -> None:
    cpu = with_sample(
        profile(PROGRAMS[0], "cpu_burn1"), ["runtime._ExternalCode", "runtime._System"], (42, 420_000_000)
    )
    found = by_name(losses(FetchedProfile(cpu)))
    assert found == {**dict.fromkeys(NAMES.values(), 0), NAMES["runtime._ExternalCode"]: 42}


def test_a_caller_of_that_name_is_no_loss() -> None:
    cpu = with_sample(profile(PROGRAMS[0], "cpu_burn1"), ["main.burn", LOST_FUNCTIONS[0]], (42, 420_000_000))
    assert set(by_name(losses(FetchedProfile(cpu))).values()) == {0}


@pytest.mark.parametrize("kind", ["heap", "allocs", "goroutine", "block", "mutex", "threadcreate"])
def test_only_cpu_profiles_have_losses(kind: str) -> None:
    assert losses(FetchedProfile(profile(PROGRAMS[0], kind))) == []


def test_a_cpu_profile_without_counts_has_no_losses() -> None:
    assert losses(FetchedProfile(profile(FOREIGN.name, "java-bazel-cpu.pb.gz"))) == []
