"""Every rule, read as Prometheus reads it and held against the catalogue: names, labels, joins, limits and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.catalog.thresholds import THRESHOLDS
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.profile import KINDS
from pprof_exporter.rules import (
    ALERTS,
    GROUPS,
    RECORDING_RULES,
    Alert,
    RecordingRule,
    RuleGroup,
    fill_thresholds,
    thresholds_of,
)
from pprof_exporter.rules.guards import MIXED_TARGETS, of_one_process
from pprof_exporter.rules.latency import COLLECTING
from tests.rules.linting import USER, Linter, Shape, magic_numbers
from tests.rules.record_series import SETS, read

MODES = [mode.id for mode in FAILURE_MODES]

WITHOUT_ALERT: dict[str, str] = {}
"""Failure modes that no alert tells of, each with the reason."""

FIXED_NUMBERS: dict[tuple[str, float], str] = {}
"""Numbers in the expression of an alert that nobody wants to change, each with the reason."""

LONGEST_SUMMARY = 120
EXAMPLE = {"target": "shop-1.example:6060", "instance": "exporter-1:9717", "signal": "fetch_duration_seconds:heap"}
"""Values of labels as long as they usually are; others are shorter."""

RULES = [rule for group in GROUPS for rule in group.rules]


def name(rule: Alert | RecordingRule) -> str:
    return f"{rule.name}-{rule.severity}" if isinstance(rule, Alert) else rule.name


def linted(expression: str) -> tuple[Shape, list[str]]:
    """Shape and faults of an expression, thresholds and all."""
    linter = Linter.of(RECORDING_RULES)
    shape = linter.check(fill_thresholds(expression, {}))
    return shape or Shape(frozenset()), linter.faults


def questions(alert: Alert) -> Iterator[str]:
    """The expressions that the texts of an alert ask Prometheus, with values in the place of `%q`."""
    for text in (alert.summary, alert.description):
        for asked, arguments in re.findall(r"printf\s+`([^`]*)`([^|}]*)\|\s*query", " ".join(text.split())):
            assert asked.count("%q") == len(arguments.split()), f"{asked} takes as many labels as it has %q"
            yield asked.replace("%q", '"x"')
        yield from re.findall(r'query\s+"((?:[^"\\]|\\.)*)"', text)


def shown(template: str) -> str:
    """The longest text that the template can become, loops and questions aside."""
    text = re.sub(r"\{\{-?\s*\$labels\.(\w+)\s*-?\}\}", lambda label: EXAMPLE.get(label[1], label[1]), template)
    text = re.sub(r"\{\{\s*\$value[^}]*\}\}", "12.3 %", text)
    choice = r"\{\{\s*if[^}]*\}\}(.*?)\{\{\s*end\s*\}\}"
    return re.sub(choice, lambda found: max(re.split(r"\{\{\s*else[^}]*\}\}", found[1]), key=len), text)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_names_labels_and_joins_are_sound(rule: Alert | RecordingRule) -> None:
    _, faults = linted(rule.expr)
    assert faults == []


@pytest.mark.parametrize("group", [group for group in GROUPS if group.interval], ids=lambda group: group.name)
def test_what_is_recorded_seldom_is_read_over_a_range(group: RuleGroup) -> None:
    # Prometheus shows a value for 5 minutes (query.lookback-delta). promtool knows no interval of a group: it evaluates
    # every one at every step.
    for record in group.rules:
        reading = [rule for rule in RULES if record.name in rule.expr]
        assert reading, f"{record.name} is read by nothing"
        for rule in reading:
            bare = re.search(rf"{re.escape(record.name)}(?!\w|[^\[\s]*\[)", rule.expr)
            assert bare is None, f"{rule.name} reads {record.name} as it is"


@pytest.mark.parametrize("label", ["statistic", "during", "profile", "system"])
def test_values_that_a_rule_looks_for_are_those_of_real_programs(label: str, recordings: Path) -> None:
    recorded = (line for name in SETS for line in read(recordings / "series" / f"{name}.txt.gz")[1])
    values = {value for line in recorded for value in re.findall(rf'\b{label}="([^"]*)"', line)}
    linter = Linter.of(RECORDING_RULES)
    for rule in RULES:
        linter.check(fill_thresholds(rule.expr, {}))
    wanted = [pattern for of, pattern in linter.wanted if of == label]
    assert wanted
    assert [pattern for pattern in wanted if not any(re.fullmatch(pattern, value) for value in values)] == []


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_limits_of_an_alert_are_thresholds(alert: Alert) -> None:
    assert [number for number in magic_numbers(alert.expr) if (alert.name, number) not in FIXED_NUMBERS] == []


@pytest.mark.parametrize("threshold", [threshold.name for threshold in THRESHOLDS])
def test_each_threshold_is_used(threshold: str) -> None:
    assert any(threshold in thresholds_of(rule.expr) for rule in RULES)


@pytest.mark.parametrize("record", RECORDING_RULES, ids=name)
def test_a_recording_rule_is_named_after_the_labels_that_tell_its_series_apart(record: RecordingRule) -> None:
    found = re.fullmatch(r"([a-z_]+):(pprof_[a-z0-9_]+):([a-z0-9_]+)", record.name)
    assert found, "level:metric:operations"
    shape, _ = linted(record.expr)
    level = set(found[1].split("_"))
    assert level <= shape.labels
    assert shape.unique(level | {"job", "instance", USER})


def test_latencies_that_follow_garbage_collections_are_those_of_the_kinds_that_collect() -> None:
    assert [name for name, kind in KINDS.items() if kind.collects] == [COLLECTING]


def test_a_name_is_recorded_once() -> None:
    names = [record.name for record in RECORDING_RULES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_texts_use_labels_that_the_alert_has(alert: Alert) -> None:
    shape, _ = linted(alert.expr)
    used = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))
    assert used <= shape.labels
    # The address of the runbook and the routes of Alertmanager need them.
    needed = {"job"} if alert.many_targets else {"job", "instance"} | ({"target"} if alert.mode else set())
    assert needed <= shape.labels
    assert not alert.many_targets or "instance" not in shape.labels


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_labels_that_a_user_gave_to_a_target_reach_the_notification(alert: Alert) -> None:
    shape, _ = linted(alert.expr)
    assert "target" not in shape.labels or USER in shape.labels


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_texts_ask_prometheus_sound_questions(alert: Alert) -> None:
    for question in questions(alert):
        assert linted(question)[1] == []


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_a_summary_is_one_short_line_that_says_where(alert: Alert) -> None:
    assert "\n" not in alert.summary
    assert len(shown(alert.summary)) <= LONGEST_SUMMARY
    if not alert.many_targets:
        assert "$labels.target" in alert.summary or (not alert.mode and "$labels.instance" in alert.summary)


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_a_description_has_figures(alert: Alert) -> None:
    assert re.search(r"\$value|\$labels\.", alert.description)


@pytest.mark.parametrize("alert", ALERTS, ids=name)
def test_an_alert_has_a_severity_and_a_failure_mode(alert: Alert) -> None:
    assert alert.severity in Severity
    assert alert.mode in {*MODES, ""}
    assert re.fullmatch(r"Pprof([A-Z][a-z]*[0-9]*(Hz)?)+", alert.name)


OF_THE_ADDRESS = {
    **dict.fromkeys(("PprofTargetDown", "PprofTargetWedged", "PprofNotMounted"), "nothing answers, whoever should"),
    **dict.fromkeys(("PprofFetchFailing", "PprofProfileRejected", "PprofProfileStale"), "replies do not come"),
    **dict.fromkeys(("PprofDecodeFailing", "PprofProfilerConflict"), "replies hold no profile"),
    "PprofSeveralProcesses": "says so",
    "PprofExporterDeferring": "is about the exporter",
    "PprofUpgradeRegression": "the recording rule leaves them out",
}
"""Alerts that hold where several processes answer at one address, each with the reason."""


@pytest.mark.parametrize("alert", [alert for alert in ALERTS if alert.mode and not alert.many_targets], ids=name)
def test_no_alert_judges_a_mixture_of_processes(alert: Alert) -> None:
    parsed = promql.parse(fill_thresholds(alert.expr, {}))
    assert (alert.name not in OF_THE_ADDRESS) == (
        isinstance(parsed, promql.BinaryExpr)
        and str(parsed.op) == "unless"
        and "pprof_several_processes_info" in str(parsed.rhs)
    )


@pytest.mark.parametrize(
    ("expression", "guarded"),
    [
        ("pprof_up == 0", f"pprof_up == 0\n  unless {MIXED_TARGETS}"),
        ("a and (b or c)", f"a and (b or c)\n  unless {MIXED_TARGETS}"),
        ("    a\n      or b\n    ", f"(\n  a\n    or b\n)\n  unless {MIXED_TARGETS}"),
    ],
)
def test_the_guard_covers_the_whole_expression(expression: str, guarded: str) -> None:
    alert = Alert("PprofX", "F1", Severity.INFO, expression, "5m", "x", "x")
    (rule,) = of_one_process(RuleGroup("x", (alert,))).rules
    assert rule.expr == guarded


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in WITHOUT_ALERT])
def test_each_failure_mode_has_an_alert(mode: str) -> None:
    assert any(alert.mode == mode for alert in ALERTS)


RECORDED = RecordingRule("target:pprof_up:avg30m", "avg_over_time(pprof_up[30m])")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("pprof_upp == 0", "no family or recording rule 'pprof_upp'"),
        ("pprof_tick_interval_seconds > 1", "no family or recording rule 'pprof_tick_interval_seconds'"),
        ("target:pprof_up:avg1h == 0", "no family or recording rule 'target:pprof_up:avg1h'"),
        ("pprof_up{profile='heap'} == 0", "pprof_up has no label 'profile'"),
        ("pprof_fetches_total{outcome='lost'} > 0", "outcome of pprof_fetches_total is never 'lost'"),
        ("pprof_down_info{reason=~'connect|html|lost'}", "reason of pprof_down_info is never 'lost'"),
        ("pprof_fetches_skipped_total{reason!='resolve'}", "reason of pprof_fetches_skipped_total is never 'resolve'"),
        ("sum without (source) (pprof_up)", "sum without (source): there is no such label"),
        ("count by (job, system) (pprof_up)", "count by (system): there is no such label"),
        ("histogram_quantile(0.9, pprof_up)", "histogram_quantile of what has no label 'le'"),
        ("rate(pprof_fetches_total[1m])", "pprof_fetches_total over 1m is shorter than 2m, two of its values"),
        (
            "pprof_up and on (job, instance, profile) pprof_profile_available",
            "and on (profile): its left side has no such label",
        ),
        (
            "pprof_up and on (target) pprof_goroutines",
            "and on (target): two exporters may watch the same target, so job and instance too",
        ),
        (
            "rate(pprof_cpu_accounted_seconds_total[5m]) / ignoring (source) rate(pprof_cpu_used_seconds_total[5m])",
            f"/ matches on {USER}, instance, job, target: its left side may have several of them, by source",
        ),
        (
            "pprof_profile_samples > on (job, instance, target) pprof_goroutines",
            "> matches on instance, job, target: its left side may have several of them, by profile",
        ),
        (
            "pprof_goroutines / on (job, instance, target) group_left () pprof_profile_samples",
            "/ matches on instance, job, target: its right side may have several of them, by profile",
        ),
        (
            "pprof_goroutines * on (job, instance, target) group_left (system) max_over_time(pprof_target_info[1h])",
            f"its right side may have several of them, by {USER}, build, go_version, program, system",
        ),
        (
            "pprof_goroutines > 2 * sum by (job, instance, target) (pprof_profiled_goroutines)",
            f">: only one side has {USER}, so that nothing matches",
        ),
        (
            "pprof_signal_median unless pprof_up",
            "unless: only one side has epoch, signal, so that nothing matches",
        ),
        ("pprof_up ==", "does not parse: "),
    ],
)
def test_a_bad_expression_is_refused_with_its_fault(expression: str, fault: str) -> None:
    linter = Linter.of([RECORDED])
    linter.check(expression)
    assert any(fault in told for told in linter.faults), linter.faults


@pytest.mark.parametrize(
    "expression",
    [
        # The info of a target is one, and the user's labels are those of the target.
        "pprof_goroutines * on (job, instance, target) group_left (system, go_version) pprof_target_info",
        # Epochs are fixed on both sides.
        'pprof_signal_median{epoch="now"} > ignoring (epoch) pprof_signal_median{epoch="before"}',
        # One side fixes the profile, the other has none.
        'pprof_profiled_goroutines - ignoring (profile) pprof_profile_samples{profile="goroutine"}',
        # Recorded labels are those of the expression.
        "target:pprof_up:avg30m < 1 and on (job, instance, target) pprof_goroutines",
        # What the left side has, the right side does not add: one for each target.
        """
        pprof_goroutines - on (job, instance, target) group_left () group by (job, instance, target) (
          pprof_changes_total{change="go"} or on (job, instance, target) pprof_changes_total{change="binary"}
        )
        """,
        'label_replace(pprof_up == 0, "trouble", "down", "", "") or label_replace(pprof_up, "trouble", "slow", "", "")',
        "histogram_quantile(0.9, rate(pprof_fetch_duration_seconds_bucket[10m]))",
        "group by (job) (max_over_time(pprof_exporter_build_info[1h])) unless on (job) up",
    ],
)
def test_a_sound_expression_is_accepted(expression: str) -> None:
    linter = Linter.of([RECORDED])
    linter.check(expression)
    assert linter.faults == []


def test_labels_are_those_that_prometheus_would_give() -> None:
    linter = Linter.of([RECORDED])
    taken = linter.check("pprof_goroutines * on (job, instance, target) group_left (system) pprof_target_info")
    assert taken is not None
    assert taken.labels == {"job", "instance", "target", "system", USER}
    kept = linter.check("target:pprof_up:avg30m > on (job, instance, target) pprof_goroutines")
    assert kept is not None
    assert kept.labels == {"job", "instance", "target"}
    assert linter.check("time() - 5") is None


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("pprof_up < <failing>", []),
        ("pprof_up == 0 or pprof_up > 1", []),
        ("histogram_quantile(0.99, rate(pprof_canary_duration_seconds_bucket[1h])) > <canary_slow>", []),
        ("quantile(0.5, pprof_goroutines) > -<clock_skew>", []),
        ("pprof_goroutines > 100", [100]),
        ("avg_over_time(pprof_up[30m]) < <failing> * 0.5", [0.5]),
    ],
)
def test_a_limit_that_is_no_threshold_is_found(expression: str, numbers: list[float]) -> None:
    assert magic_numbers(expression) == numbers


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ $labels.instance }} has {{ $labels.trouble }}", "exporter-1:9717 has trouble"),
        (
            '{{ if eq $labels.change "go" }}Go{{ else if eq 1 2 }}modules{{ else }}a{{ end }} of it',
            "modules of it",
        ),
    ],
)
def test_the_longest_summary_is_what_counts(template: str, text: str) -> None:
    assert shown(template) == text
