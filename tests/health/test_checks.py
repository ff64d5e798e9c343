"""All checks together: healthy programs show nothing, and each fault shows in its own reading and in no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pprof_exporter.catalog import quality, sampling
from pprof_exporter.health import FetchedProfile, run_checks
from pprof_exporter.health.symbols import MIN_LOCATIONS
from pprof_exporter.profile import Location, Profile, totals
from pprof_exporter.profile.function_names.traits import LOST_FUNCTIONS, OPAQUE_FUNCTIONS
from tests.health.readings import by_name, scaled, with_sample
from tests.profile.changed import changed
from tests.recorded import LINUX, PROGRAMS, RECORDINGS, WINDOWS, named, profile, reply

BURN = "cpu_burn1.pb.gz"
# Two busy threads had little more than one core when this was recorded.
CROWDED = ("windows-go1.27.3", "cpu_burn2.pb.gz")
RECORDED = sorted(RECORDINGS.glob("*-go1.*/*.pb.gz"))
CPU = [path for path in RECORDED if path.name.startswith(("cpu_", "write_timeout"))]
GOROUTINES = [path for path in RECORDED if path.name.startswith(("goroutine.", "goroutine_"))]
DEEP = ("cpu_deep.pb.gz", "goroutine_deep.pb.gz")

OPAQUE_AT_MOST = 0.02

COVERED = frozenset(
    {
        "pprof_cpu_coverage_ratio",
        "pprof_cpu_effective_rate_hertz",
        "pprof_cpu_accounted_seconds_total",
        "pprof_cpu_gc_samples_total",
        "pprof_cpu_blocked_samples_total",
    }
)
SKEW = "pprof_profile_clock_skew_seconds"
BACK = "pprof_profile_clock_regressions_total"
ERROR = "pprof_profile_window_error_seconds"
UNSYMBOLIZED = "pprof_unsymbolized_ratio"
INLINED = "pprof_inlined_location_ratio"
TRUNCATED = "pprof_truncated_stack_ratio"

on_every_recording = pytest.mark.parametrize("path", RECORDED, ids=named)
on_every_program = pytest.mark.parametrize("program", PROGRAMS)


def fetched(program: str, file: str = BURN, *, window: float = 3) -> FetchedProfile:
    """As the exporter would have fetched it, beside a target that tells its CPU time."""
    recorded = reply(program, file)
    return FetchedProfile(
        profile(program, file),
        asked_at=recorded.started,
        took=max(0.0, recorded.seconds - window),
        window=window,
        previous_nanos=round((recorded.started - 60) * 1e9),
        cpu_used=recorded.cpu_seconds,
        cpu_source="metrics",
    )


def read(judged: FetchedProfile) -> dict[str, float]:
    return {name: value for name, value in by_name(run_checks(judged)).items() if value is not None}


def on_profile(change: Callable[[Profile], Profile]) -> Callable[[FetchedProfile], FetchedProfile]:
    return lambda healthy: replace(healthy, profile=change(healthy.profile))


def lose(name: str) -> Callable[[FetchedProfile], FetchedProfile]:
    return on_profile(lambda healthy: with_sample(healthy, [name], (5, 5 * healthy.period)))


def located(healthy: Profile, change: Callable[[Location], Location]) -> Profile:
    return changed(healthy, locations={known: change(place) for known, place in healthy.locations.items()})


def strip(healthy: Profile) -> Profile:
    """Without the names of the program's own functions."""

    def stripped(place: Location) -> Location:
        own = len(place.lines) == 1 and place.lines[0].function.name.startswith("main.")
        return place._replace(lines=()) if own else place

    return located(healthy, stripped)


def never_inline(healthy: Profile) -> Profile:
    return located(healthy, lambda place: place._replace(lines=place.lines[:1]))


def deepen(healthy: Profile, limit: int) -> Profile:
    """Every stack exactly as deep as the limit."""
    known = max(healthy.locations) + 1
    root = next(place for place in healthy.locations.values() if len(place.lines) == 1)

    def padded(stack: tuple[int, ...]) -> tuple[int, ...]:
        depth = sum(len(healthy.locations[place].lines) for place in stack)
        return stack + (known,) * (limit - depth)

    samples = tuple(sample._replace(stack=padded(sample.stack)) for sample in healthy.samples)
    return changed(healthy, samples=samples, locations={**healthy.locations, known: root})


def move(seconds: float) -> Callable[[FetchedProfile], FetchedProfile]:
    return on_profile(lambda healthy: changed(healthy, time_nanos=healthy.time_nanos + round(seconds * 1e9)))


def last(seconds: float) -> Callable[[FetchedProfile], FetchedProfile]:
    return on_profile(lambda healthy: changed(healthy, duration_nanos=round(seconds * 1e9)))


def follow_a_later_one(healthy: FetchedProfile) -> FetchedProfile:
    return replace(healthy, previous_nanos=healthy.profile.time_nanos + 40_000_000)


FAULTS: dict[str, tuple[Callable[[FetchedProfile], FetchedProfile], set[str]]] = {
    **{f"{name} lost": (lose(name), {f"pprof_cpu_lost_samples_total {name}"}) for name in LOST_FUNCTIONS},
    **{f"{name} opaque": (lose(name), {f"pprof_cpu_opaque_samples_total {name}"}) for name in OPAQUE_FUNCTIONS},
    "stripped": (on_profile(strip), {UNSYMBOLIZED}),
    "not inlined": (on_profile(never_inline), {INLINED}),
    "cut": (on_profile(lambda healthy: deepen(healthy, 64)), {TRUNCATED}),
    "5 s ahead": (move(5), {SKEW}),
    "5 s behind": (move(-5), {SKEW}),
    "backwards": (follow_a_later_one, {BACK}),
    "ended early": (last(1), {ERROR}),
    "ended late": (last(9), {ERROR}),
    "64 Hz": (on_profile(lambda healthy: scaled(healthy, 0.64)), set(COVERED)),
}


@pytest.mark.parametrize("fault", FAULTS)
@on_every_program
def test_a_fault_shows_in_its_own_reading_only(program: str, fault: str) -> None:
    make_ill, own = FAULTS[fault]
    healthy = fetched(program)
    before, after = read(healthy), read(make_ill(healthy))
    differing = {name for name in before if after[name] != pytest.approx(before[name], rel=0.05, abs=0.01)}
    assert differing
    assert differing <= own
    assert set(after) == set(before)


@pytest.mark.parametrize("name", [*LOST_FUNCTIONS, *OPAQUE_FUNCTIONS])
def test_lost_and_opaque_samples_are_added_up(name: str) -> None:
    family = "pprof_cpu_lost_samples_total" if name in LOST_FUNCTIONS else "pprof_cpu_opaque_samples_total"
    assert read(lose(name)(lose(name)(fetched(LINUX[0]))))[f"{family} {name}"] == 10


@on_every_recording
def test_every_reading_is_of_a_family_of_quality_or_sampling_with_its_labels(path: Path) -> None:
    program, file = path.parent.name, path.name
    families = (*quality.FAMILIES, *sampling.FAMILIES)
    for reading in run_checks(fetched(program, file)):
        assert reading.family in families
        names = tuple(name for name, _ in reading.labels)
        assert names == tuple(name for name in reading.family.labels if name not in {"target", "profile"})


@pytest.mark.parametrize("path", CPU, ids=named)
def test_healthy_cpu_profiles_lose_nothing_and_hardly_ever_miss_a_stack(path: Path) -> None:
    program, file = path.parent.name, path.name
    found = read(fetched(program, file))
    total = sum(sample.values[0] for sample in profile(program, file).samples)
    assert all(found[f"pprof_cpu_lost_samples_total {name}"] == 0 for name in LOST_FUNCTIONS)
    assert sum(found[f"pprof_cpu_opaque_samples_total {name}"] for name in OPAQUE_FUNCTIONS) <= OPAQUE_AT_MOST * total


@on_every_recording
def test_recorded_profiles_are_symbolized_and_whole(path: Path) -> None:
    program, file = path.parent.name, path.name
    found = by_name(run_checks(fetched(program, file)))
    if file.startswith("threadcreate"):
        assert not found.keys() & {UNSYMBOLIZED, INLINED, TRUNCATED}
        return
    cut = found[TRUNCATED]
    assert found[UNSYMBOLIZED] in (0, None)
    if file in DEEP:
        assert cut is not None
        assert cut > 0.5
    else:
        assert cut in (0, None)


@pytest.mark.parametrize("file", ["goroutine_delta_negative", "goroutine_leaks"])
@on_every_program
def test_a_difference_with_negative_values_has_no_shares(program: str, file: str) -> None:
    found = by_name(run_checks(FetchedProfile(profile(program, file))))
    negative = file.endswith("negative")
    assert (found[UNSYMBOLIZED] is None) == (found[TRUNCATED] is None) == negative
    assert (found[INLINED] is None) == (len(profile(program, file).locations) < MIN_LOCATIONS)


@pytest.mark.parametrize(("depth", "share"), [(31, 0), (32, 1), (33, 0), (127, 0), (128, 1), (129, None)])
@on_every_program
def test_other_stacks_are_cut_at_32_or_128_frames(program: str, depth: int, share: float | None) -> None:
    found = by_name(run_checks(FetchedProfile(deepen(profile(program, "goroutine"), depth))))
    assert found[TRUNCATED] == share


@pytest.mark.parametrize(("depth", "share"), [(63, 0), (64, 1), (65, None)])
@on_every_program
def test_cpu_stacks_are_cut_at_64_frames(program: str, depth: int, share: float | None) -> None:
    assert by_name(run_checks(FetchedProfile(deepen(profile(program, "cpu_burn1"), depth))))[TRUNCATED] == share


def test_without_any_inlining_the_share_is_0() -> None:
    assert read(replace(fetched(LINUX[0]), profile=never_inline(profile(LINUX[0], BURN))))[INLINED] == 0


@pytest.mark.parametrize("program", WINDOWS)
def test_threads_that_sleep_in_a_system_call_make_up_the_profile_and_do_not_cover(program: str) -> None:
    found = by_name(run_checks(fetched(program, "cpu_syscall4.pb.gz", window=2)))
    blocked = found["pprof_cpu_blocked_samples_total"]
    total = sum(sample.values[0] for sample in profile(program, "cpu_syscall4").samples)
    assert blocked is not None
    assert blocked > 0.9 * total
    assert found["pprof_cpu_coverage_ratio"] is None
    assert found["pprof_cpu_effective_rate_hertz"] is None


@pytest.mark.parametrize(
    ("program", "file"),
    [(program, file) for program in PROGRAMS for file in (BURN, "cpu_burn2.pb.gz") if (program, file) != CROWDED],
)
def test_samples_account_for_the_cpu_time_that_was_used(program: str, file: str) -> None:
    healthy = fetched(program, file)
    found, thin = read(healthy), read(on_profile(lambda full: scaled(full, 0.64))(healthy))
    assert 0.9 < found["pprof_cpu_coverage_ratio"] < (1.35 if program in WINDOWS else 1.2)
    assert thin["pprof_cpu_coverage_ratio"] == pytest.approx(0.64 * found["pprof_cpu_coverage_ratio"], rel=0.03)
    assert thin["pprof_cpu_effective_rate_hertz"] == pytest.approx(64, abs=9)


def test_threads_that_wait_for_a_core_are_sampled_on_windows() -> None:
    found = read(fetched(*CROWDED))
    assert found["pprof_cpu_accounted_seconds_total"] == pytest.approx(2 * 3, rel=0.05)
    assert found["pprof_cpu_coverage_ratio"] > 1.35


@on_every_program
def test_with_little_use_the_ratio_is_unknown_and_seconds_are_counted_all_the_same(program: str) -> None:
    found = by_name(run_checks(replace(fetched(program), cpu_used=0.99)))
    assert found["pprof_cpu_coverage_ratio"] is found["pprof_cpu_effective_rate_hertz"] is None
    assert found["pprof_cpu_used_seconds_total"] == 0.99
    assert found["pprof_cpu_accounted_seconds_total"] == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("path", [path for path in RECORDED if "delta" not in path.name], ids=named)
def test_time_stamps_fit_the_clock_of_the_machine_that_recorded_them(path: Path) -> None:
    program, file = path.parent.name, path.name
    seconds = re.search(r"/profile\?seconds=(\d)", reply(program, file).path)
    healthy = fetched(program, file, window=float(seconds[1]) if seconds else 0)
    found = read(healthy)
    assert found[SKEW] == pytest.approx(0, abs=0.25)
    assert found[BACK] == 0
    for moved in (5, -5):
        assert read(move(moved)(healthy))[SKEW] == pytest.approx(found[SKEW] + moved, abs=1e-5)


@pytest.mark.parametrize("path", GOROUTINES, ids=named)
def test_goroutines_by_state_add_up(path: Path) -> None:
    program, file = path.parent.name, path.name
    found = read(FetchedProfile(profile(program, file)))
    states = [value for name, value in found.items() if name.startswith("pprof_goroutines_by_state")]
    assert sum(states) == totals(profile(program, file))[0]
