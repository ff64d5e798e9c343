"""What `pprof-exporter rules` makes of the sources."""

from __future__ import annotations

import yaml

from pprof_exporter.catalog.thresholds import BY_NAME
from pprof_exporter.rules import Alert, Options, Record, RuleGroup, Severity, render_rules
from pprof_exporter.rules.render import scaled

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
GROUP = RuleGroup("pprof-trouble", (Record("target:pprof_up:avg30m", "avg_over_time(pprof_up[30m])"), ALERT))


def rules(options: Options) -> list[dict[str, object]]:
    (group,) = yaml.safe_load(render_rules((GROUP,), options))["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def test_thresholds_are_filled_in_everywhere() -> None:
    _, alert = rules(Options({"cpu_coverage_low": 0.7}))
    assert "< 0.7" in str(alert["expr"])
    assert alert["annotations"] == {
        "summary": "Trouble below 0.7",
        "description": "It was below 0.7.",
        "runbook_url": "http://{{ $labels.instance }}/runbooks/PprofTrouble",
    }


def test_the_address_of_runbooks_can_be_another() -> None:
    _, alert = rules(Options(runbook_url="https://wiki.example/pprof/"))
    assert dict(alert["annotations"])["runbook_url"] == "https://wiki.example/pprof/PprofTrouble"  # type: ignore[call-overload]  # YAML has no types


def test_ranges_and_waits_can_be_scaled_and_names_stay() -> None:
    record, alert = rules(Options(time_scale=0.01))
    assert record == {"record": "target:pprof_up:avg30m", "expr": "avg_over_time(pprof_up[18000ms])"}
    assert "pprof_up[36000ms:3000ms] offset 864000ms" in str(alert["expr"])
    assert "target:pprof_up:avg30m > 0" in str(alert["expr"])
    assert (alert["for"], alert["keep_firing_for"]) == ("9000ms", "18000ms")


def test_a_scaled_duration_is_never_nothing_unless_it_was() -> None:
    assert scaled("1h30m", 2) == "10800000ms"
    assert scaled("1s", 1e-9) == "1ms"
    assert scaled("0s", 2) == "0s"
    assert scaled("1h", 1) == "1h"


def test_ages_are_scaled_with_the_waits_unless_they_were_set() -> None:
    assert Options(time_scale=0.1).values["profile_stale"] == BY_NAME["profile_stale"].value / 10
    assert Options({"profile_stale": 7}, time_scale=0.1).values["profile_stale"] == 7
    assert Options(time_scale=0.1).values["fetch_slow"] == BY_NAME["fetch_slow"].value
