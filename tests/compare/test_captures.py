"""A report names what changed, and nothing else: on values made for the purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pprof_exporter.capture.reader import Capture, ReplayedTarget
from pprof_exporter.compare.assessment import min_rounds
from pprof_exporter.compare.captures import compare_captures, compare_groups
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport, Movement, SignalChange
from pprof_exporter.profile import System
from pprof_exporter.store import Change, Fingerprint
from tests.compare.made import BEFORE, recorded
from tests.recorded import RECORDINGS

WINDOWS = RECORDINGS / "windows-go1.27.3"


def captures(before: Sequence[ReplayedTarget], after: Sequence[ReplayedTarget]) -> ComparisonReport:
    return compare_captures(Capture(Path("before"), tuple(before)), Capture(Path("after"), tuple(after)))


def compared(before: ReplayedTarget, after: ReplayedTarget) -> ComparisonReport:
    return captures([before], [after])


def named(report: ComparisonReport, verdict: ChangeVerdict) -> set[str]:
    return {signal.signal for signal in report.signals if signal.verdict is verdict}


def signal(report: ComparisonReport, name: str) -> SignalChange:
    return next(one for one in report.signals if one.signal == name)


def test_what_got_worse_is_named_and_nothing_else() -> None:
    report = compared(
        recorded(12), recorded(12, seed=2, signals={"fetch_duration_seconds:heap": 0.4, "cpu_coverage_ratio": 0.64})
    )
    assert report.verdict is ChangeVerdict.WORSE
    assert named(report, ChangeVerdict.WORSE) == {"fetch_duration_seconds:heap", "cpu_coverage_ratio"}
    assert named(report, ChangeVerdict.UNSURE) == set()
    heap = signal(report, "fetch_duration_seconds:heap")
    assert heap.ratio is not None
    assert heap.ratio.low is not None
    assert heap.ratio.high is not None
    assert 8 < heap.ratio.low < heap.ratio.value < heap.ratio.high < 13
    assert heap.dominance == 1
    assert heap.p is not None
    assert heap.p < 0.001


def test_what_got_better_is_the_same_the_other_way_round() -> None:
    report = compared(recorded(12, signals={"fetch_duration_seconds:heap": 0.4}), recorded(12, seed=2))
    assert named(report, ChangeVerdict.BETTER) == {"fetch_duration_seconds:heap"}
    assert report.verdict is ChangeVerdict.SAME


@pytest.mark.parametrize("factor", [1.6, 10])
def test_a_latency_that_doubled_and_is_small_still_is_small(factor: float) -> None:
    report = compared(recorded(12), recorded(12, seed=2, signals={"canary_duration_seconds:rest": 0.001 * factor}))
    canary = signal(report, "canary_duration_seconds:rest")
    assert canary.p is not None
    assert canary.p < 0.05, "the difference itself is beyond chance"
    assert canary.verdict is ChangeVerdict.SAME


def test_a_difference_within_chance_is_not_worse_however_large_it_looks() -> None:
    before = recorded(8, noise=1.5, signals={"fetch_duration_seconds:heap": 0.1})
    after = recorded(8, noise=1.5, signals={"fetch_duration_seconds:heap": 0.3}, seed=3)
    heap = signal(compared(before, after), "fetch_duration_seconds:heap")
    assert heap.p is not None
    assert heap.p >= 0.05
    assert heap.verdict is ChangeVerdict.UNSURE
    assert "chance" in heap.why or "possible" in heap.why


@pytest.mark.parametrize("rounds", [1, 3, 5])
def test_too_few_rounds_tell_nothing_and_are_never_called_fine(rounds: int) -> None:
    for signals in ({}, {"fetch_duration_seconds:heap": 4.0}):
        report = compared(recorded(rounds), recorded(rounds, seed=2, signals=signals))
        assert report.verdict is ChangeVerdict.UNSURE
        assert {one.verdict for one in report.signals} == {ChangeVerdict.UNSURE, ChangeVerdict.NOT_JUDGED}
        assert "on each side are needed" in signal(report, "fetch_duration_seconds:heap").why


def test_no_rounds_tell_nothing() -> None:
    report = compared(recorded(10), recorded(0))
    assert report.verdict is ChangeVerdict.UNSURE
    assert "never after" in signal(report, "fetch_duration_seconds:heap").why
    assert any("no complete round after" in note for note in report.pairs[0].notes)


def test_so_many_rounds_are_needed_as_the_tests_are_many() -> None:
    # Two of all ways to divide 2n values are the clearest ones: 2 / C(8, 4) = 0.029, 2 / C(14, 7) = 0.00058.
    assert min_rounds(1) == 4
    assert min_rounds(50) == 7


def test_twenty_comparisons_of_one_and_the_same_program_are_not_worse() -> None:
    wrong = 0
    for seed in range(20):
        report = compared(recorded(10, seed=100 + seed, noise=0.4), recorded(10, seed=200 + seed, noise=0.4))
        wrong += bool(
            named(report, ChangeVerdict.WORSE) or named(report, ChangeVerdict.BETTER) or report.pairs[0].moved
        )
    assert wrong <= 1


def test_what_was_replaced_is_named_with_old_and_new() -> None:
    now = replace(BEFORE, system="s2", go="go1.25.5")
    report = compared(recorded(10), recorded(10, seed=2, fingerprint=now, go="1.25.5"))
    system, go = report.pairs[0].replaced
    assert (system.change, go.change) == (Change.OPERATING_SYSTEM, Change.GO)
    assert go.parts == (("Go", "1.24.11", "1.25.5"),)
    assert any("together" in note for note in report.pairs[0].notes)


def with_file(target: ReplayedTarget, file: str) -> ReplayedTarget:
    rounds = tuple(replace(round_, files={"goroutine": WINDOWS / file}) for round_ in target.rounds)
    return replace(target, rounds=rounds)


def test_an_update_of_windows_has_the_times_of_its_modules() -> None:
    before = with_file(recorded(8), "goroutine.pb.gz")
    now = replace(BEFORE, system="s2", modules="m2")
    updated = with_file(recorded(8, seed=2, fingerprint=now), "goroutine_updated.pb.gz")
    system = compared(before, updated).pairs[0].replaced[0]
    assert {name for name, _, _ in system.parts} == {"ntdll.dll", "kernel32.dll", "kernelbase.dll"}
    assert all(old < new and new.endswith("UTC") for _, old, new in system.parts)
    agent = with_file(recorded(8, seed=2, fingerprint=replace(BEFORE, modules="m2")), "goroutine_agent.pb.gz")
    (modules,) = compared(before, agent).pairs[0].replaced
    assert modules.parts == (("agent64.dll", "not there", "loaded"),)


def test_what_is_not_known_on_both_sides_is_said() -> None:
    (pair,) = compared(recorded(10, fingerprint=Fingerprint()), recorded(10)).pairs
    assert pair.replaced == ()
    assert pair.unknown == tuple(Change)


@pytest.mark.parametrize(
    ("before", "after", "system", "signals", "expected"),
    [
        ("1.21.13", "1.22.10", System.WINDOWS, {}, ChangeVerdict.BY_DESIGN),
        ("1.21.13", "1.22.10", System.LINUX, {}, ChangeVerdict.BETTER),
        ("1.22.10", "1.23.9", System.WINDOWS, {}, ChangeVerdict.BETTER),
        ("1.20.0+", "1.22.10", System.WINDOWS, {}, ChangeVerdict.BETTER),
    ],
)
def test_a_jump_by_design_is_called_so_only_between_the_versions_that_make_it(
    before: str, after: str, system: System, signals: dict[str, float], expected: ChangeVerdict
) -> None:
    old = recorded(10, go=before, system=system, signals={"cpu_coverage_ratio": 0.64})
    new = recorded(10, go=after, system=system, seed=2, fingerprint=replace(BEFORE, go=f"go{after}"))
    coverage = signal(compared(old, new), "cpu_coverage_ratio")
    assert coverage.verdict is expected
    if expected is ChangeVerdict.BY_DESIGN:
        assert "Go 1.22" in coverage.why


def test_going_back_below_a_version_that_put_something_right_is_worse() -> None:
    old = recorded(10, go="1.22.10")
    new = recorded(10, go="1.21.13", seed=2, signals={"cpu_coverage_ratio": 0.64})
    assert signal(compared(old, new), "cpu_coverage_ratio").verdict is ChangeVerdict.WORSE


def test_deeper_stacks_are_a_matter_of_go() -> None:
    cut = {"truncated_stack_ratio:heap": 0.5}
    whole = {"truncated_stack_ratio:heap": 0.1}
    old = recorded(10, go="1.24.11", signals=whole)
    new = recorded(10, go="1.22.10", signals=cut, seed=2, fingerprint=replace(BEFORE, go="go1.22.10"))
    assert signal(compared(old, new), "truncated_stack_ratio:heap").verdict is ChangeVerdict.BY_DESIGN
    other = recorded(10, go="1.25.5", signals=cut, seed=2, fingerprint=replace(BEFORE, go="go1.25.5"))
    assert signal(compared(old, other), "truncated_stack_ratio:heap").verdict is ChangeVerdict.WORSE
    vague = recorded(10, go="1.25+", signals=cut, seed=2, fingerprint=replace(BEFORE, go="go1.25.5"))
    assert signal(compared(old, vague), "truncated_stack_ratio:heap").verdict is ChangeVerdict.UNSURE
    same = recorded(10, go="1.24.11", signals=cut, seed=2)
    assert signal(compared(old, same), "truncated_stack_ratio:heap").verdict is ChangeVerdict.WORSE


def test_functions_whose_share_moved_are_named() -> None:
    shares = {"cpu": {"main.burnPlain": 0.2, "main.burnInlined": 0.55, "runtime.memmove": 0.25}}
    (pair,) = compared(recorded(10), recorded(10, seed=2, shares=shares)).pairs
    moved = {(one.kind, one.function): one.movement for one in pair.moved}
    assert moved == {("cpu", "main.burnPlain"): Movement.SHRANK, ("cpu", "main.burnInlined"): Movement.GREW}
    grew = next(one for one in pair.moved if one.movement is Movement.GREW)
    assert grew.shift.value == pytest.approx(0.2, abs=0.05)


def test_closures_that_go_renamed_moved_by_design() -> None:
    old = recorded(10, go="1.26.6", shares={"cpu": {"main.serve.func1": 0.6, "runtime.memmove": 0.4}})
    new = recorded(10, go="1.27.3", seed=2, shares={"cpu": {"main.serve.func1.1": 0.6, "runtime.memmove": 0.4}})
    moved = {one.function: one.movement for one in compared(old, new).pairs[0].moved}
    assert moved == {"main.serve.func1": Movement.BY_DESIGN, "main.serve.func1.1": Movement.BY_DESIGN}


def test_a_few_profiles_do_not_tell_of_functions() -> None:
    (pair,) = compared(recorded(3), recorded(3, seed=2)).pairs
    assert {one.movement for one in pair.functions} == {Movement.UNSURE}


def without(target: ReplayedTarget, kind: str, rounds: int) -> ReplayedTarget:
    """The first rounds have no such profile."""
    return replace(
        target,
        rounds=tuple(
            replace(
                one, files={name: WINDOWS / "heap.pb.gz" for name in ("heap", "block") if i >= rounds or name != kind}
            )
            for i, one in enumerate(target.rounds)
        ),
    )


def test_a_profile_that_does_not_come_any_more_is_worse() -> None:
    report = compared(without(recorded(10), "heap", 0), without(recorded(10, seed=2), "heap", 9))
    assert named(report, ChangeVerdict.WORSE) == {"fetch_failure_ratio:heap"}
    assert "9 of 10 after" in signal(report, "fetch_failure_ratio:heap").why
    back = compared(without(recorded(10), "heap", 9), without(recorded(10, seed=2), "heap", 0))
    assert named(back, ChangeVerdict.BETTER) == {"fetch_failure_ratio:heap"}


def held(target: ReplayedTarget, rounds: int) -> ReplayedTarget:
    """In the first rounds another profiler was at work, so that no CPU profile came."""
    return replace(
        target,
        rounds=tuple(
            replace(
                one, files={} if i < rounds else {"cpu": WINDOWS / "cpu.pb.gz"}, busy=frozenset(["cpu"] * (i < rounds))
            )
            for i, one in enumerate(target.rounds)
        ),
    )


def test_another_profiler_that_holds_a_profile_is_no_failure_of_it() -> None:
    report = compared(held(recorded(10), 5), held(recorded(10, seed=2), 5))
    assert signal(report, "profiler_conflict_ratio:cpu").verdict is ChangeVerdict.SAME
    assert {one.signal for one in report.signals if "failure" in one.signal} == set()


def test_another_profiler_that_came_with_the_upgrade_is_worse() -> None:
    report = compared(held(recorded(10), 0), held(recorded(10, seed=2), 9))
    assert named(report, ChangeVerdict.WORSE) == {"profiler_conflict_ratio:cpu"}
    assert "Busy with another profiler in 0 of 10 rounds before, and in 9 of 10 after" in (
        signal(report, "profiler_conflict_ratio:cpu").why
    )


def test_a_failure_now_and_then_is_the_network() -> None:
    report = compared(without(recorded(10), "heap", 0), without(recorded(10, seed=2), "heap", 1))
    assert signal(report, "fetch_failure_ratio:heap").verdict is ChangeVerdict.UNSURE
    assert "fetch_failure_ratio:block" not in {one.signal for one in report.signals}


def test_another_load_is_said_since_latencies_follow_it() -> None:
    (pair,) = compared(recorded(10), recorded(10, seed=2, signals={"cpu_processors": 0.2})).pairs
    assert any("load was not the same" in note for note in pair.notes)
    # Missing samples are no rest: what they stand for is known.
    thinned = {"cpu_processors": 0.64, "cpu_coverage_ratio": 0.64}
    (pair,) = compared(recorded(10), recorded(10, seed=2, signals=thinned)).pairs
    assert pair.notes == ()


def test_audits_of_a_target_at_rest_do_not_count() -> None:
    rests = {"cpu_processors": 0.3, "tick_late_ratio": 0.5}
    late = signal(compared(recorded(10), recorded(10, seed=2, signals=rests)), "tick_late_ratio")
    assert (late.after.count, late.verdict) == (0, ChangeVerdict.UNSURE)


def test_targets_are_held_against_those_of_the_same_name() -> None:
    slow = {"fetch_duration_seconds:heap": 0.4}
    before = [recorded(name="a"), recorded(name="b", seed=2), recorded(name="gone", seed=3)]
    after = [recorded(name="b", seed=4, signals=slow), recorded(name="a", seed=5), recorded(name="new", seed=6)]
    report = captures(before, after)
    assert [pair.name for pair in report.pairs] == ["a", "b"]
    assert [len(pair.of(ChangeVerdict.WORSE)) for pair in report.pairs] == [0, 1]
    assert report.alone == ("gone is only in the capture before.", "new is only in the capture after.")


def test_one_target_needs_no_name_in_common() -> None:
    report = compared(recorded(name="127.0.0.1:1"), recorded(name="127.0.0.1:2", seed=2))
    assert [pair.name for pair in report.pairs] == ["127.0.0.1:1 → 127.0.0.1:2"]
    assert report.verdict is ChangeVerdict.SAME


def test_a_canary_is_held_against_stable_targets() -> None:
    stable = [recorded(6, name="a"), recorded(6, name="b", seed=2)]
    slow = recorded(6, name="c", seed=3, signals={"fetch_duration_seconds:heap": 0.4})
    report = compare_groups(stable, [slow])
    assert named(report, ChangeVerdict.WORSE) == {"fetch_duration_seconds:heap"}
    (pair,) = report.pairs
    assert (pair.before.rounds, pair.after.rounds) == (12, 6)
    assert pair.before.targets == ("a", "b")
    mixed = compare_groups([stable[0], replace(stable[1], fingerprint=replace(BEFORE, binary="shop b2"))], [slow])
    assert any("differ in system, build" in note for note in mixed.pairs[0].notes)


def test_of_a_long_capture_rounds_are_taken_evenly() -> None:
    report = compared(recorded(401), recorded(10, seed=2))
    (pair,) = report.pairs
    assert (pair.before.rounds, signal(report, "fetch_duration_seconds:heap").before.count) == (401, 200)
    assert any("401 rounds before" in note for note in pair.notes)
    assert report.verdict is ChangeVerdict.SAME


def test_a_limit_can_be_set() -> None:
    before, after = recorded(12), recorded(12, seed=2, signals={"fetch_duration_seconds:heap": 0.4})
    sides = Capture(Path("b"), (before,)), Capture(Path("a"), (after,))
    assert compare_captures(*sides, {"regression_factor": 20}).verdict is ChangeVerdict.SAME
