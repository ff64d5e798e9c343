"""What a release of Go changes by design is said so in both directions, and nothing else is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from pprof_exporter.capture.reader import Capture, ReplayedTarget
from pprof_exporter.catalog.regressions import MEASURES
from pprof_exporter.compare.captures import compare_captures
from pprof_exporter.compare.releases import RELEASES, CrossedReleases
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport, Movement
from pprof_exporter.profile import System
from tests.compare.made import BEFORE, HEALTHY, recorded
from tests.lab import go
from tests.recorded import RECORDINGS

PAIRS = tuple(itertools.permutations(go.EVERY_MINOR, 2))
LEAKS = "fetch_duration_seconds:goroutineleak"
MUTEX = "inlined_location_ratio:mutex"


def minor(version: str) -> int:
    return int(version.removesuffix("+").split(".")[1])


def healthy(version: str, *, seed: int, named: str | None = None) -> ReplayedTarget:
    """A program of this version of Go, with the signals that this version has; its functions are its own."""
    number = minor(version)
    signals = {
        "truncated_stack_ratio:goroutine": 0.3 if number < 23 else 0.0,
        "inlined_location_ratio:goroutine": 0.06 if number < 23 else 0.14,
        # Above the limit of the alert, so that the direction back to 1.25 counts.
        "fetch_duration_seconds:cpu": 0.4 if number < 26 else 0.15,
    }
    if number >= 25:
        signals[MUTEX] = 0.14 if number == 25 else 0.3
    if number >= 27:
        signals |= {LEAKS: 0.1, "unsymbolized_ratio:goroutineleak": 0.0}
    system_call = {
        **dict.fromkeys((21, 22), "runtime/internal/syscall.Syscall6"),
        **dict.fromkeys((23, 24, 25), "internal/runtime/syscall.Syscall6"),
    }.get(number, "internal/runtime/syscall/linux.Syscall6")
    shares = {
        "cpu": {"main.work": 0.5, system_call: 0.3, "main.run.work.func3" if number < 27 else "main.work.func1": 0.2},
        "goroutine": {
            "main.newHandler.(*counters).count" if number < 27 else "main.(*counters).count": 0.6,
            "main.descend" if number < 23 else "main.work": 0.4,
        },
    }
    made = recorded(
        10,
        go=named or version,
        system=System.LINUX,
        seed=seed,
        signals=signals,
        shares=shares,
        fingerprint=replace(BEFORE, go=f"go{version}"),
    )
    kinds = ("heap", "goroutine", "goroutineleak")[: 3 if number >= 27 else 2]
    gone = () if number >= 22 else tuple(name for name in HEALTHY if name.startswith("tick_"))
    rounds = tuple(
        replace(
            one,
            signals={name: value for name, value in one.signals.items() if name not in gone},
            files=dict.fromkeys(kinds, RECORDINGS / "linux-go1.27.3" / "heap.pb.gz"),
        )
        for one in made.rounds
    )
    return replace(made, rounds=rounds)


def compared(before: ReplayedTarget, after: ReplayedTarget) -> ComparisonReport:
    return compare_captures(Capture(Path("before"), (before,)), Capture(Path("after"), (after,)))


def named(report: ComparisonReport, verdict: ChangeVerdict) -> dict[str, str]:
    return {one.signal: one.why for one in report.signals if one.verdict is verdict}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_between_healthy_programs_of_two_versions_nothing_is_worse_or_undecided(before: str, after: str) -> None:
    report = compared(healthy(before, seed=1), healthy(after, seed=2))
    assert named(report, ChangeVerdict.WORSE) == {}
    assert named(report, ChangeVerdict.UNSURE) == {}
    assert {one.function for one in report.pairs[0].moved if one.movement is not Movement.BY_DESIGN} == set()
    assert (LEAKS in named(report, ChangeVerdict.BY_DESIGN)) == ("27" in before[:4] + after[:4])


def test_a_function_that_moved_to_another_package_is_one() -> None:
    report = compared(healthy("1.21.13", seed=1), healthy("1.27.3", seed=2))
    calls = [one for one in report.pairs[0].functions if "Syscall6" in one.function]
    assert [(one.function, one.movement) for one in calls] == [
        ("internal/runtime/syscall/linux.Syscall6", Movement.STEADY)
    ]


def test_a_profile_that_a_version_lacks_is_no_loss() -> None:
    report = compared(healthy("1.27.3", seed=1), healthy("1.26.6", seed=2))
    design = named(report, ChangeVerdict.BY_DESIGN)
    assert {LEAKS, "fetch_failure_ratio:goroutineleak"} <= design.keys()
    assert design[LEAKS] == (
        "Measured 10 times before, never after. Since Go 1.27 there is a profile of leaked goroutines."
    )


def test_a_profile_that_the_newer_version_lost_is_undecided() -> None:
    """Go 1.27 has the profile; that it is gone there is nothing that an upgrade explains."""
    old, new = healthy("1.27.3", seed=1), healthy("1.27.3", seed=2, named="1.28.0")
    without = replace(
        new,
        rounds=tuple(
            replace(one, signals={name: value for name, value in one.signals.items() if name != LEAKS})
            for one in new.rounds
        ),
    )
    assert LEAKS in named(compared(old, without), ChangeVerdict.UNSURE)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # A program without a metrics page shows lower bounds, and the profile itself that it is of Go 1.26 or later.
        ("1.24+", "1.26+", True),
        ("1.24+", "1.27.3", True),
        ("1.24.11", "1.26.6", True),
        ("1.26.6", "1.27.3", True),
        ("1.27.0", "1.27.3", False),
        ("unknown", "1.27.3", False),
    ],
)
def test_a_new_profile_is_by_design_of_the_versions_that_have_it(before: str, after: str, *, expected: bool) -> None:
    upgrade, downgrade = CrossedReleases(before, after, None), CrossedReleases(after, before, None)
    assert (upgrade.one_sided(LEAKS, before=0, after=9) is not None) == expected
    assert (downgrade.one_sided(LEAKS, before=9, after=0) is not None) == expected
    assert upgrade.one_sided(LEAKS, before=9, after=0) is None
    assert upgrade.one_sided("fetch_duration_seconds:heap", before=0, after=9) is None


def test_values_count_by_design_between_exact_versions_only() -> None:
    signal = "truncated_stack_ratio:heap"
    assert CrossedReleases("1.22.10", "1.24.11", None).signal(signal, worse=True)
    for bounds in (("1.22+", "1.24.11"), ("1.22.10", "1.24+"), ("unknown", "1.24.11")):
        crossed = CrossedReleases(*bounds, None)
        assert not crossed.is_exact
        assert crossed.signal(signal, worse=True) is None
        assert crossed.function("cpu", "runtime.mapassign") is None


@pytest.mark.parametrize("system", [System.LINUX, System.WINDOWS])
def test_a_release_that_raises_cpu_totals_does_not_explain_lost_samples(system: System) -> None:
    upgrade, downgrade = (CrossedReleases(*pair, system) for pair in (("1.17.13", "1.24.11"), ("1.24.11", "1.17.13")))
    assert upgrade.signal("cpu_coverage_ratio", worse=False) is not None
    assert upgrade.signal("cpu_coverage_ratio", worse=True) is None
    assert downgrade.signal("cpu_coverage_ratio", worse=True) is None


def test_goroutines_start_elsewhere_only_where_stacks_were_cut() -> None:
    cut = CrossedReleases("1.22.10", "1.24.11", None, frozenset({"goroutine", "cpu"}))
    assert cut.function("goroutine", "main.descend") == "Since Go 1.23 stacks have up to 128 frames instead of 32."
    assert cut.function("cpu", "main.descend") is None
    assert CrossedReleases("1.22.10", "1.24.11", None).function("goroutine", "main.descend") is None


def test_closures_of_inlined_functions_are_found_by_the_function_that_they_stand_in() -> None:
    old = ["main.newHandler.(*counters).count", "runtime.gcMarkDone.forEachP.func5", "main.gone", "shop/cart.T.Sum"]
    new = ["main.(*counters).count", "runtime.forEachP.func1", "main.came", "shop/cart.T.Max"]
    renamed = {*old[:2], *new[:2]}
    assert CrossedReleases("1.26.6", "1.27.3", None).renamed_closures(old, new) == renamed
    assert CrossedReleases("1.27.3", "1.21.13", None).renamed_closures(new, old) == renamed
    assert CrossedReleases("1.25.5", "1.26.6", None).renamed_closures(old, new) == set()
    assert CrossedReleases("1.26+", "1.27.3", None).renamed_closures(old, new) == set()


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: f"1.{release.minor} {release.said}")
def test_each_row_has_a_source_and_an_effect(release: object) -> None:
    (row,) = (one for one in RELEASES if one is release)
    assert row.source
    assert row.signals or row.only_since or row.functions or row.cut_functions or row.rises


def test_a_comparison_and_the_alerts_know_the_same_changes_by_design() -> None:
    assert {(row.rises, row.minor) for row in RELEASES if row.rises} == {
        (one.signals, one.rises_in) for one in MEASURES if one.rises_in
    }
    assert {(row.falls, row.minor) for row in RELEASES if row.falls} == {
        (one.signals, one.falls_in) for one in MEASURES if one.falls_in
    }


# Implementations that a release turned on, and that profiles do not show.
INVISIBLE = {
    "RegabiWrappers",
    "RegabiArgs",
    "CoverageRedesign",
    "AliasTypeParams",
    "Dwarf5",
    "RandomizedHeapBase64",
}
# The format of traces, which says of itself what it is.
NAMED_OTHERWISE = {"ExecTracer2"}


@pytest.mark.lab
@pytest.mark.parametrize("version", go.EVERY_MINOR)
def test_each_implementation_that_a_release_turned_on_has_a_row(version: str) -> None:
    text = (go.standard_library(version) / "internal" / "buildcfg" / "exp.go").read_text(encoding="utf-8")
    baseline = text.partition("baseline := goexperiment.Flags{")[2].partition("\n\t}")[0]
    switched = {line.partition(":")[0].strip() for line in baseline.splitlines() if ":" in line}
    assert "RegabiArgs" in switched
    rows = " ".join(release.source for release in RELEASES)
    assert {name for name in switched - INVISIBLE - NAMED_OTHERWISE if name not in rows} == set()
