"""What counts as worse is said once in Python and once in PromQL, with the same limits."""

from __future__ import annotations

import re

import pytest

from pprof_exporter.catalog.regressions import MEASURES, Measure, WorseDirection, measure_of
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.profile import KINDS
from pprof_exporter.rules import upgrade
from pprof_exporter.rules.model import RecordingRule, thresholds_of
from pprof_exporter.verdicts.verdict import VerdictLimits

RECORDS = {rule.name: rule.expr for rule in upgrade.GROUP.rules if isinstance(rule, RecordingRule)}
WORSE = "target_signal:pprof_signal_median:worse"
EXPECTED = "target_signal:pprof_signal_median:expected"
LIMITS = VerdictLimits()
SIGNALS = (
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
    assert measure_of("heap_inuse_bytes") is None


@pytest.mark.parametrize("signal", SIGNALS)
def test_latencies_and_nothing_else_are_held_against_the_control_group(signal: str) -> None:
    measure = measure_of(signal)
    latency = signal.startswith(("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:"))
    assert measure is not None
    assert measure.controlled is latency
    (pattern,) = re.findall(r'pprof_signal_control_ratio\{signal=~"([^"]+)"\}', RECORDS[EXPECTED])
    assert bool(re.fullmatch(pattern, signal)) is latency


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
