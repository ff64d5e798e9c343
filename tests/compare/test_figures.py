"""What people upgrade for comes first, in every form, and each row has one estimator."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from pprof_exporter.capture.reader import Capture, ReplayedTarget
from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    GC_SHARE,
    GOROUTINE_COUNT,
    HEAP_IN_USE,
    SAMPLED_PROCESSORS,
    THREADS,
    USED_PROCESSORS,
)
from pprof_exporter.cli.compare import _code
from pprof_exporter.compare.captures import compare_captures
from pprof_exporter.compare.figures import FIGURES, HEADING
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport, SignalChange
from pprof_exporter.compare.report_html import report_html
from pprof_exporter.compare.report_json import report_json
from pprof_exporter.compare.report_markdown import report_markdown
from pprof_exporter.compare.report_phrases import figure_word
from pprof_exporter.compare.report_text import print_report
from tests.compare.made import recorded

MIB = 2.0**20
USES: Mapping[str, float] = {
    USED_PROCESSORS: 1.0,
    HEAP_IN_USE: 200 * MIB,
    ALLOCATION: 40 * MIB,
    GOROUTINE_COUNT: 150,
    GC_SHARE: 0.1,
    CONTENTION: 0.2,
    THREADS: 20,
}


def compared(
    before: Mapping[str, float] = USES,
    after: Mapping[str, float] = USES,
    *,
    rounds: int = 10,
    versions: tuple[str, str] = ("1.24.11", "1.24.11"),
) -> ComparisonReport:
    sides: list[ReplayedTarget] = [
        recorded(rounds, signals=dict(signals), seed=seed, go=go, noise=0.05)
        for seed, (signals, go) in enumerate(zip((before, after), versions, strict=True))
    ]
    return compare_captures(Capture(Path("before"), (sides[0],)), Capture(Path("after"), (sides[1],)))


def figure(report: ComparisonReport, name: str) -> SignalChange:
    return next(one for one in report.pairs[0].figures if one.signal == name)


def words(report: ComparisonReport) -> dict[str, str]:
    return {one.signal: figure_word(one) for one in report.pairs[0].figures}


def forms(report: ComparisonReport) -> list[str]:
    written = io.StringIO()
    for width in (160, 80):
        print_report(report, Console(file=written, width=width, highlight=False))
    return [written.getvalue(), report_markdown(report), report_html(report)]


def test_a_program_that_did_not_change_has_the_same_figures_in_their_order() -> None:
    report = compared()
    assert list(words(report)) == [one for one in FIGURES if one != SAMPLED_PROCESSORS]
    assert set(words(report).values()) <= {"same", "within limits"}
    assert report.verdict is ChangeVerdict.SAME


@pytest.mark.parametrize("signal", [signal for signal in USES if signal != USED_PROCESSORS])
def test_three_times_as_much_is_worse_and_a_third_is_better(signal: str) -> None:
    # Threads and goroutines have limits that a small program does not reach.
    base = {**USES, THREADS: 100}
    report = compared(base, {**base, signal: 3 * base[signal]})
    assert [name for name, word in words(report).items() if word == "worse"] == [signal]
    report = compared({**base, signal: 3 * base[signal]}, base)
    assert [name for name, word in words(report).items() if word == "better"] == [signal]
    assert report.verdict is ChangeVerdict.SAME


def test_more_cpu_time_alone_is_not_judged_to_be_worse_since_it_may_be_more_work() -> None:
    report = compared(USES, {**USES, USED_PROCESSORS: 3 * USES[USED_PROCESSORS]})
    assert words(report)[USED_PROCESSORS] == "cannot tell"
    assert report.verdict is ChangeVerdict.SAME


def test_values_factor_and_interval_are_of_one_estimator() -> None:
    for seed in range(20):
        sides = [recorded(10, seed=2 * seed + i, noise=0.6, signals=USES) for i in range(2)]
        report = compare_captures(Capture(Path("b"), (sides[0],)), Capture(Path("a"), (sides[1],)))
        for one in report.pairs[0].figures:
            assert one.before.median is not None
            assert one.after.median is not None
            assert one.shift is not None
            assert one.shift.value == pytest.approx(one.after.median - one.before.median)
            if one.ratio is not None:
                assert one.ratio.value == pytest.approx(one.after.median / one.before.median)
                assert one.ratio.low is not None
                assert one.ratio.high is not None
                assert one.ratio.low <= one.ratio.value <= one.ratio.high


def test_every_form_has_the_figures_before_all_other_signals() -> None:
    for text in forms(compared(USES, {**USES, HEAP_IN_USE: 600 * MIB})):
        assert text.index(HEADING) < text.index("Heap in use") < text.index("Allocation rate") < text.index("no worse")
        assert re.search(r"\d MiB\b.*\d MiB/s", text, re.DOTALL)
        assert HEAP_IN_USE not in text


def test_json_has_the_figures_under_a_new_key_and_all_signals_as_before() -> None:
    (pair,) = json.loads(report_json(compared()))["pairs"]
    assert [one["signal"] for one in pair["figures"]] == [one for one in FIGURES if one != SAMPLED_PROCESSORS]
    assert {"name", "word", "verdict", "before", "after", "ratio", "shift"} <= pair["figures"][0].keys()
    assert {*USES, SAMPLED_PROCESSORS} <= {one["signal"] for one in pair["signals"]}


def test_samples_stand_in_for_cpu_time_that_is_not_known_and_are_not_judged() -> None:
    without = {name: value for name, value in USES.items() if name != USED_PROCESSORS}
    report = compared(without, {**without, SAMPLED_PROCESSORS: 4.0})
    assert USED_PROCESSORS not in words(report)
    assert words(report)[SAMPLED_PROCESSORS] == "not judged"
    assert "may be lost" in figure(report, SAMPLED_PROCESSORS).why


def test_few_rounds_leave_figures_open_without_failing_for_them() -> None:
    report = compared(rounds=4)
    assert words(report)[HEAP_IN_USE] == "cannot tell"
    report = compared()
    (pair,) = report.pairs
    open_ = tuple(
        replace(one, verdict=ChangeVerdict.UNSURE) if one.signal in USES else replace(one, verdict=ChangeVerdict.SAME)
        for one in pair.signals
    )
    report = replace(report, pairs=(replace(pair, signals=open_),))
    assert report.count(ChangeVerdict.UNSURE) == len(USES)
    assert [_code(report, fail_on) for fail_on in ("worse", "unsure", "never")] == [0, 0, 0]
    worse = tuple(
        replace(one, verdict=ChangeVerdict.WORSE) if one.signal == HEAP_IN_USE else one for one in pair.signals
    )
    report = replace(report, pairs=(replace(pair, signals=worse),))
    assert [_code(report, fail_on) for fail_on in ("worse", "unsure", "never")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("signal", "before", "after", "factor", "word"),
    [
        (CONTENTION, "1.21.13", "1.24.11", 4.0, "by design"),
        (CONTENTION, "1.24.11", "1.21.13", 0.25, "by design"),
        (CONTENTION, "1.24.11", "1.21.13", 4.0, "worse"),
        (CONTENTION, "1.24.11", "1.27.3", 4.0, "worse"),
        (GC_SHARE, "1.25.1", "1.27.3", 0.25, "by design"),
        (GC_SHARE, "1.27.3", "1.25.1", 4.0, "by design"),
        (GC_SHARE, "1.25.1", "1.27.3", 4.0, "worse"),
        (ALLOCATION, "1.21.13", "1.27.3", 4.0, "worse"),
    ],
)
def test_what_a_release_changed_is_by_design_in_its_direction_only(
    signal: str, before: str, after: str, factor: float, word: str
) -> None:
    base = {**USES, GC_SHARE: 0.2}
    report = compared(base, {**base, signal: factor * base[signal]}, versions=(before, after))
    assert words(report)[signal] == word
