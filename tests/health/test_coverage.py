"""CPU samples account for the CPU time that the operating system says was used."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.coverage import MIN_EXPECTED, coverage
from pprof_exporter.profile import Profile
from tests.health.readings import by_name, scaled, value, with_sample
from tests.recorded import LINUX, PROGRAMS, WINDOWS, profile, reply

RATIO = "pprof_cpu_coverage_ratio"
RATE = "pprof_cpu_effective_rate_hertz"
USED = "pprof_cpu_used_seconds_total"
ACCOUNTED = "pprof_cpu_accounted_seconds_total"
UNDECIDED = "pprof_cpu_undecided_seconds_total"
COMPARED = "pprof_cpu_compared_profiles_total"


def covered(cpu: Profile, used: float | None, name: str = RATIO) -> float | None:
    fetched = FetchedProfile(cpu, cpu_used=used, cpu_source="metrics")
    return value(fetched, coverage(fetched), name)


@pytest.mark.parametrize("file", ["cpu_burn1.pb.gz", "cpu_deep.pb.gz"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_busy_program_is_covered(program: str, file: str) -> None:
    used = reply(program, file).cpu_seconds
    cpu = profile(program, file)
    assert covered(cpu, used) == pytest.approx(0.97, abs=0.08)
    assert covered(cpu, used, RATE) == pytest.approx(97, abs=8)
    assert covered(cpu, used, USED) == used
    assert covered(cpu, used, COMPARED) == 1


@pytest.mark.parametrize("program", WINDOWS)
def test_whether_a_thread_in_a_system_call_uses_time_is_not_known_on_windows(program: str) -> None:
    recorded = reply(program, "cpu_syscall4.pb.gz")
    cpu = profile(program, "cpu_syscall4.pb.gz")
    sampled = sum(sample.values[1] for sample in cpu.samples) / 1e9
    assert sampled > 20 * recorded.cpu_seconds
    assert covered(cpu, recorded.cpu_seconds, UNDECIDED) == recorded.cpu_seconds
    assert covered(cpu, recorded.cpu_seconds) is None
    assert covered(cpu, recorded.cpu_seconds, COMPARED) == 0
    # More than all of them can explain is missing.
    assert covered(cpu, 2 * sampled, ACCOUNTED) == pytest.approx(0, abs=0.05)
    assert covered(cpu, 2 * sampled) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("program", WINDOWS)
def test_threads_asleep_beside_a_busy_one_do_not_look_like_load_on_windows(program: str) -> None:
    used = reply(program, "cpu_burn1.pb.gz").cpu_seconds
    concurrent = with_sample(profile(program, "cpu_burn1"), ["syscall.SyscallN"], (2000, 20 * 10**9))
    assert covered(concurrent, used) == pytest.approx(0.97, abs=0.08)
    assert covered(concurrent, used, USED) == used


@pytest.mark.parametrize("program", PROGRAMS)
def test_64_ticks_of_100_show(program: str) -> None:
    cpu = scaled(profile(program, "cpu_burn1"), 0.64)
    ratio = covered(cpu, reply(program, "cpu_burn1.pb.gz").cpu_seconds)
    assert ratio is not None
    assert 0.55 < ratio < 0.69


@pytest.mark.parametrize("name", ["runtime/pprof.lostProfileEvent", "runtime._LostExternalCode"])
def test_what_the_runtime_lost_is_not_accounted_for(name: str) -> None:
    cpu = profile(LINUX[0], "cpu_burn1")
    lossy = with_sample(cpu, [name], (1000, 10**10))
    assert covered(lossy, 3, ACCOUNTED) == covered(cpu, 3, ACCOUNTED)


def test_a_system_call_is_work_on_linux() -> None:
    cpu = profile(LINUX[0], "cpu_burn1")
    more = with_sample(cpu, ["syscall.Syscall6"], (100, 10**9))
    before, after = covered(cpu, 3, ACCOUNTED), covered(more, 3, ACCOUNTED)
    assert before is not None
    assert after == pytest.approx(before + 1)


def test_with_few_samples_to_expect_the_ratio_is_unknown() -> None:
    cpu = profile(LINUX[0], "cpu_burn1")
    enough = MIN_EXPECTED / 100
    assert covered(cpu, enough) is not None
    assert covered(cpu, enough - 0.01) is None
    assert covered(cpu, enough - 0.01, RATE) is None
    assert covered(cpu, enough - 0.01, USED) == enough - 0.01
    assert covered(cpu, 0) is None


def test_without_the_truth_nothing_is_claimed() -> None:
    assert coverage(FetchedProfile(profile(LINUX[0], "cpu_burn1"))) == []


def test_other_profiles_have_no_coverage() -> None:
    assert coverage(FetchedProfile(profile(LINUX[0], "heap"), cpu_used=3)) == []


def test_the_source_of_the_truth_is_named() -> None:
    readings = coverage(FetchedProfile(profile(LINUX[0], "cpu_burn1"), cpu_used=3, cpu_source="psutil"))
    assert {reading.family.name for reading in readings if reading.labels == (("source", "psutil"),)} == {
        USED,
        ACCOUNTED,
    }
    assert set(by_name(readings)) == {USED, ACCOUNTED, COMPARED, RATIO, RATE}
