"""Every combination of replies has exactly one root cause, and exactly one alert tells it."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from pprof_exporter.catalog.root_causes import RootCause
from pprof_exporter.rules import ALERTS, GROUPS, render_rules
from tests.lab.prometheus import promtool
from tests.rules.reply_classes import (
    HEALTHY_MINUTES,
    MINUTES,
    Answer,
    Server,
    Simulation,
    expected,
    promtool_values,
    servers,
)

REACHABILITY = [group for group in GROUPS if group.name == "pprof-reachability"]


def shapes() -> dict[tuple[tuple[str, str], ...], list[Server]]:
    """The servers by the series that they lead to: many combinations look the same to Prometheus."""
    simulation = Simulation()
    found: dict[tuple[tuple[str, str], ...], list[Server]] = defaultdict(list)
    for server in servers():
        series = simulation.series(server)
        found[tuple((name, promtool_values(values)) for name, values in series.items())].append(server)
    return found


def test_every_cause_has_an_alert_and_their_order_is_total() -> None:
    names = {alert.name for alert in ALERTS}
    assert {cause.alert for cause in RootCause} <= names
    assert [len(cause.earlier) for cause in RootCause] == list(range(len(RootCause)))


def test_the_combinations_are_many_and_each_cause_is_among_them() -> None:
    every = list(servers())
    assert len(every) > 500
    causes = {expected(server) for server in every}
    assert causes >= set(RootCause) - {RootCause.SEVERAL_PROCESSES} | {None}
    assert {server.index for server in every} >= {Answer.OK, Answer.HTML, Answer.SILENT, Answer.UNREACHABLE}


@pytest.mark.lab
def test_exactly_one_alert_fires_for_each_combination_of_replies(tmp_path: Path) -> None:
    found = shapes()
    (tmp_path / "rules.yaml").write_text(render_rules(REACHABILITY), encoding="utf-8")
    for before in (False, True):
        lines: list[dict[str, str]] = []
        wanted: dict[str, int] = {}
        samples: list[dict[str, object]] = []
        for number, (series, alike) in enumerate(found.items()):
            if alike[0].healthy_before is not before:
                continue
            causes = {expected(server) for server in alike}
            assert len(causes) == 1, f"what looks the same has one cause: {alike}"
            (cause,) = causes
            target = f'job="j",instance="e",target="{number}"'
            lines += [{"series": name.replace("TARGET", target), "values": values} for name, values in series]
            if cause is not None:
                samples.append({"labels": f'{{target="{number}", alertname="{cause.alert}"}}', "value": 1})
                wanted[cause.alert] = wanted.get(cause.alert, 0) + 1
        at = MINUTES + (HEALTHY_MINUTES if before else 0)
        document = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": "2m",
            "tests": [
                {
                    "interval": "2m",
                    "input_series": lines,
                    "promql_expr_test": [
                        {
                            "eval_time": f"{at}m",
                            "expr": 'count by (target, alertname) (ALERTS{alertstate="firing"})',
                            "exp_samples": samples,
                        }
                    ],
                }
            ],
        }
        case = tmp_path / f"case_{before}.yaml"
        case.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, width=10_000), encoding="utf-8")
        command = [str(promtool("sid")), "test", "rules", str(case)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[:5_000]
