"""What counts as worse is said once in Python and once in PromQL, with the same limits."""

from __future__ import annotations

import re

import pytest

from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    GC_SHARE,
    GOROUTINE_COUNT,
    HEAP_IN_USE,
    LEVELS,
    MEASURES,
    RESOURCES,
    SAMPLED_PROCESSORS,
    THREADS,
    USED_PROCESSORS,
    Measure,
    WorseDirection,
    go_line,
    measure_of,
)
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.profile import KINDS
from pprof_exporter.rules import upgrade
from pprof_exporter.rules.model import RecordingRule, thresholds_of
from pprof_exporter.verdicts.verdict import VerdictLimits

RECORDS = {rule.name: rule.expr for rule in upgrade.GROUP.rules if isinstance(rule, RecordingRule)}
WORSE = "target_signal:pprof_signal_median:worse"
EXPECTED = "target_signal:pprof_signal_median:expected"
LIMITS = VerdictLimits()
JUDGED = tuple(one for one in RESOURCES if one != SAMPLED_PROCESSORS)
SIGNALS = (
    *JUDGED,
    "canary_duration_seconds:rest",
    "cpu_coverage_ratio",
    "latency_difference_seconds:modules",
    "tick_interval_stddev_seconds",
    "tick_late_ratio",
    "tick_rate_hertz",
    *(
        f"{name}:{kind}"
        for kind in KINDS
        for name in ("fetch_duration_seconds", "unsymbolized_ratio", "inlined_location_ratio", "truncated_stack_ratio")
    ),
)


def test_the_recording_rule_and_the_measures_use_the_same_thresholds() -> None:
    measured = {name for one in MEASURES for name in (one.factor, one.bound, one.difference) if name}
    ruled = set(thresholds_of(RECORDS[WORSE]))
    assert measured - {"regression_factor"} == ruled - {"tick_busy"}
    assert {"regression_factor"} == set(thresholds_of(RECORDS["target_signal:pprof_signal_median:risen"]))
    assert EXPECTED in RECORDS["target_signal:pprof_signal_median:risen"]
    assert measured <= set(THRESHOLDS_BY_NAME)
    assert {one.min_observations for one in MEASURES} == set(
        thresholds_of(RECORDS["target_signal:pprof_signal_median:regressed"])
    )


def test_every_signal_of_the_recording_rule_has_a_measure() -> None:
    named = re.findall(r'signal=~?"([^"]+)"', RECORDS[WORSE])
    for pattern in named:
        signals = [signal for signal in SIGNALS if re.fullmatch(pattern, signal)]
        assert signals, pattern
        assert all(measure_of(signal) for signal in signals)
    assert set(JUDGED) < set(named)
    assert measure_of("profile_clock_skew_seconds:heap") is measure_of(SAMPLED_PROCESSORS) is None


@pytest.mark.parametrize("signal", SIGNALS)
def test_latencies_and_load_are_held_against_the_control_group(signal: str) -> None:
    measure = measure_of(signal)
    latency = signal.startswith(("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:"))
    assert measure is not None
    load = signal in JUDGED and signal != GC_SHARE
    assert (measure.controlled, measure.follows_load) == (latency, load)
    levels, pattern = re.findall(r'pprof_signal_control_ratio\{signal=~"([^"]+)"\}', RECORDS[EXPECTED])
    assert bool(re.fullmatch(levels, signal)) is measure.like_ages is (signal in LEVELS)
    assert bool(re.fullmatch(pattern, signal)) is (latency or load)
    (free,) = re.findall(r'signal!~"([^"]+)"', RECORDS[EXPECTED])
    assert bool(re.fullmatch(free, signal)) is load


@pytest.mark.parametrize(
    ("signal", "before", "now", "worse"),
    [
        ("fetch_duration_seconds:heap", 0.03, 0.3, True),
        ("fetch_duration_seconds:heap", 0.002, 0.04, False),  # small still is small
        ("fetch_duration_seconds:heap", 0.2, 0.39, False),
        ("fetch_duration_seconds:cpu", 0.05, 0.24, False),  # Go up to 1.25 ends up to 0.2 s late
        ("fetch_duration_seconds:cpu", 0.05, 0.3, True),
        ("latency_difference_seconds:modules", -0.001, 0.2, True),
        ("cpu_coverage_ratio", 1.0, 0.64, True),
        ("cpu_coverage_ratio", 1.3, 0.97, False),
        ("cpu_coverage_ratio", 0.9, 0.8, False),
        ("inlined_location_ratio:cpu", 0.3, 0.0, True),
        ("tick_rate_hertz", 100, 64, True),
        ("tick_rate_hertz", 74, 71, False),
        (USED_PROCESSORS, 0.02, 0.09, False),
        (USED_PROCESSORS, 0.4, 0.9, True),
        (HEAP_IN_USE, 50 * 2**20, 110 * 2**20, False),
        (HEAP_IN_USE, 200 * 2**20, 290 * 2**20, False),
        (HEAP_IN_USE, 200 * 2**20, 310 * 2**20, True),
        (ALLOCATION, 2 * 2**20, 9 * 2**20, False),
        (ALLOCATION, 20 * 2**20, 60 * 2**20, True),
        (ALLOCATION, 100 * 2**20, 190 * 2**20, False),
        (GOROUTINE_COUNT, 20, 110, False),
        (GOROUTINE_COUNT, 300, 700, True),
        (GC_SHARE, 0.05, 0.14, False),
        (GC_SHARE, 0.3, 0.42, False),
        (GC_SHARE, 0.1, 0.25, True),
        (CONTENTION, 0.0, 0.09, False),
        (CONTENTION, 0.0, 0.5, True),
        (CONTENTION, 2.0, 3.5, False),
        (THREADS, 10, 55, False),
        (THREADS, 40, 120, True),
    ],
)
def test_a_change_counts_beyond_all_of_its_limits(signal: str, before: float, now: float, *, worse: bool) -> None:
    measure = measure_of(signal)
    assert measure is not None
    ratio = now / before if before > 0 else None
    assert measure.is_exceeded(LIMITS, ratio=ratio, now=now, change=now - before) is worse


@pytest.mark.parametrize(("control", "worse"), [(1, True), (1.4, True), (1.6, False), (9.5, False)])
def test_a_latency_counts_beyond_what_the_control_group_did(control: float, *, worse: bool) -> None:
    measure = measure_of("fetch_duration_seconds:heap")
    assert measure is not None
    assert measure.is_exceeded(LIMITS, ratio=3 / control, now=0.3, change=0.2) is worse


def test_without_a_limit_the_direction_is_left() -> None:
    assert Measure("x", WorseDirection.LOWER).is_exceeded(LIMITS, ratio=None, now=1, change=-0.1)
    assert not Measure("x", WorseDirection.LOWER).is_exceeded(LIMITS, ratio=None, now=1, change=0)


@pytest.mark.parametrize(
    ("control", "load", "expected", "of_level"),
    [
        (None, None, None, None),
        (None, 2.0, 2.0, 2.0),
        (None, 0.3, 1.0, 1.0),
        (1.5, None, 1.5, 1.5),
        (1.5, 4.0, 1.5, 4.0),
        (4.0, 1.5, 4.0, 4.0),
    ],
)
def test_what_follows_the_load_needs_one_and_prefers_the_control_group(
    control: float | None, load: float | None, expected: float | None, of_level: float | None
) -> None:
    allocation, heap, share = measure_of(ALLOCATION), measure_of(HEAP_IN_USE), measure_of(GC_SHARE)
    assert allocation is not None
    assert heap is not None
    assert share is not None
    assert heap.expected_growth(control, load) == of_level
    assert allocation.expected_growth(control, load) == expected
    assert share.expected_growth(control, load) == 1


@pytest.mark.parametrize(
    ("signal", "before", "now", "designed"),
    [
        (CONTENTION, "1.21.13", "1.22.0", True),
        (CONTENTION, "1.21.13", "1.27.3", True),
        (CONTENTION, "1.19.8+", "1.22+", True),
        (CONTENTION, "1.24.11", "1.27.3", False),
        (CONTENTION, "1.27.3", "1.21.13", False),
        (CONTENTION, "unknown", "1.27.3", False),
        (CONTENTION, "", "", False),
        (GC_SHARE, "1.25.0", "1.26.0", False),
        (GC_SHARE, "1.26.0", "1.25.0", True),
        (GC_SHARE, "1.27.3", "1.21.13", True),
        (GC_SHARE, "1.27.3", "1.26.1", False),
        (ALLOCATION, "1.21.13", "1.27.3", False),
    ],
)
def test_a_release_excuses_what_it_changed_by_design_and_the_rule_says_the_same(
    signal: str, before: str, now: str, *, designed: bool
) -> None:
    measure = measure_of(signal)
    assert measure is not None
    assert measure.by_design(go_line(before), go_line(now)) is designed
    if measure.rises_in or measure.falls_in:
        (rule,) = (one for one in RECORDS[WORSE].split("\n") if f'"{signal}"' in one)
        name, pattern = next(re.finditer(r'(from|to)=~"([^"]+)"', rule)).groups()
        older, newer = (before, now) if name == "from" else (now, before)
        crossed = re.fullmatch(pattern, older) and not re.fullmatch(pattern, newer)
        assert bool(crossed) is designed
