"""What `pprof-exporter rules` makes of the sources."""

from __future__ import annotations

import yaml

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules import Alert, RecordingRule, RuleGroup, RuleOptions, render_rules
from pprof_exporter.rules.render import scale_duration

ALERT = Alert(
    "PprofTrouble",
    "F1",
    Severity.WARNING,
    """
    avg_over_time(pprof_up[1h:5m] offset 1d) < <cpu_coverage_low>
      and on (target) target:pprof_up:avg30m > 0
    """,
    "15m",
    "Trouble below <cpu_coverage_low>",
    """
    It was below
    <cpu_coverage_low>.
    """,
    keep_firing_for="30m",
)
GROUP = RuleGroup("pprof-trouble", (RecordingRule("target:pprof_up:avg30m", "avg_over_time(pprof_up[30m])"), ALERT))


def rules(options: RuleOptions) -> list[dict[str, object]]:
    (group,) = yaml.safe_load(render_rules((GROUP,), options))["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def test_thresholds_are_filled_in_everywhere() -> None:
    _, alert = rules(RuleOptions({"cpu_coverage_low": 0.7}))
    assert "< 0.7" in str(alert["expr"])
    assert alert["annotations"] == {
        "summary": "Trouble below 0.7",
        "description": "It was below 0.7.",
        "runbook_url": "http://{{ $labels.instance }}/runbooks/PprofTrouble",
    }


def test_the_address_of_runbooks_can_be_another() -> None:
    _, alert = rules(RuleOptions(runbook_url="https://wiki.example/pprof/"))
    assert dict(alert["annotations"])["runbook_url"] == "https://wiki.example/pprof/PprofTrouble"  # type: ignore[call-overload]  # YAML has no types


def test_ranges_and_waits_can_be_scaled_and_names_stay() -> None:
    record, alert = rules(RuleOptions(time_scale=0.01))
    assert record == {"record": "target:pprof_up:avg30m", "expr": "avg_over_time(pprof_up[18000ms])"}
    assert "pprof_up[36000ms:3000ms] offset 864000ms" in str(alert["expr"])
    assert "target:pprof_up:avg30m > 0" in str(alert["expr"])
    assert (alert["for"], alert["keep_firing_for"]) == ("9000ms", "18000ms")


def test_a_scaled_duration_is_never_nothing_unless_it_was() -> None:
    assert scale_duration("1h30m", 2) == "10800000ms"
    assert scale_duration("1s", 1e-9) == "1ms"
    assert scale_duration("0s", 2) == "0s"
    assert scale_duration("1h", 1) == "1h"


def test_ages_are_scaled_with_the_waits_unless_they_were_set() -> None:
    assert RuleOptions(time_scale=0.1).values["profile_stale"] == THRESHOLDS_BY_NAME["profile_stale"].value / 10
    assert RuleOptions({"profile_stale": 7}, time_scale=0.1).values["profile_stale"] == 7
    assert RuleOptions(time_scale=0.1).values["fetch_slow"] == THRESHOLDS_BY_NAME["fetch_slow"].value
