"""Every combination of replies has exactly one root cause, and exactly one alert tells it."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from pprof_exporter.catalog.root_causes import RootCause
from pprof_exporter.rules import ALERTS, GROUPS, render_rules
from pprof_exporter.rules.model import Alert
from tests.lab import PATIENCE
from tests.lab.prometheus import promtool
from tests.rules.reply_classes import (
    HEALTHY_MINUTES,
    MINUTES,
    STEP,
    Answer,
    Server,
    Simulation,
    expected,
    promtool_values,
    servers,
)

# Without the templates: promtool renders them for each alert at each step. The tests in rules/tests read them.
REACHABILITY = [
    dataclasses.replace(
        group,
        rules=tuple(
            dataclasses.replace(rule, summary="", description="") if isinstance(rule, Alert) else rule
            for rule in group.rules
        ),
    )
    for group in GROUPS
    if group.name == "pprof-reachability"
]
_PROCESSES = os.cpu_count() or 1
_AT_ONCE = 400
"""Targets of one run of promtool."""

Shape = tuple[tuple[str, str], ...]


_simulation = functools.cache(Simulation)


def shape(server: Server) -> Shape:
    """The series that a server leads to, in promtool's notation."""
    return tuple((name, promtool_values(values)) for name, values in _simulation().series(server).items())


def shapes() -> dict[Shape, list[Server]]:
    """The servers by the series that they lead to: many combinations look the same to Prometheus."""
    every = list(servers())
    found: dict[Shape, list[Server]] = defaultdict(list)
    with ProcessPoolExecutor(_PROCESSES) as processes:
        for server, series in zip(every, processes.map(shape, every, chunksize=20), strict=True):
            found[series].append(server)
    return found


def test_every_cause_has_an_alert_and_their_order_is_total() -> None:
    names = {alert.name for alert in ALERTS}
    assert {cause.alert for cause in RootCause} <= names
    assert [len(cause.earlier) for cause in RootCause] == list(range(len(RootCause)))


def test_the_combinations_are_many_and_each_cause_is_among_them() -> None:
    every = list(servers())
    assert len(every) > 2000
    causes = {expected(server) for server in every}
    assert causes >= set(RootCause) - {RootCause.SEVERAL_PROCESSES} | {None}
    assert {server.index for server in every} >= {Answer.OK, Answer.HTML, Answer.SILENT, Answer.UNREACHABLE}


@pytest.mark.lab
def test_exactly_one_alert_fires_for_each_combination_of_replies(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(render_rules(REACHABILITY), encoding="utf-8")
    found = list(shapes().items())
    for series, alike in found:
        assert len({expected(server) for server in alike}) == 1, f"what looks the same has one cause: {alike}, {series}"
    cases = [
        case
        for before in (False, True)
        for case in batched([one for one in found if one[1][0].healthy_before is before], _AT_ONCE)
    ]
    with ThreadPoolExecutor(_PROCESSES) as threads:
        files = (tmp_path / f"case{number}.yaml" for number in range(len(cases)))
        wrong = [line for lines in threads.map(differences, cases, files) for line in lines]
    assert wrong == [], f"{len(wrong)} of {len(found)}"


def batched(found: Sequence[tuple[Shape, list[Server]]], size: int) -> list[Sequence[tuple[Shape, list[Server]]]]:
    """Parts of at most this size."""
    return [found[at : at + size] for at in range(0, len(found), size)]


def differences(case: Sequence[tuple[Shape, list[Server]]], file: Path) -> list[str]:
    """The servers for which other alerts fire than the one of their cause, with what fires."""
    lines: list[dict[str, str]] = []
    wanted: list[tuple[str, str]] = []
    for number, (series, alike) in enumerate(case):
        target = f'job="j",instance="e",target="{number}"'
        lines += [{"series": name.replace("TARGET", target), "values": values} for name, values in series]
        cause = expected(alike[0])
        wanted += [(str(number), cause.alert)] if cause is not None else []
    at = MINUTES + (HEALTHY_MINUTES if case[0][1][0].healthy_before else 0)
    # Some alerts fire for each profile.
    expression = {
        "eval_time": f"{at}m",
        "expr": 'group by (target, alertname) (ALERTS{alertstate="firing"})',
        "exp_samples": [
            {"labels": f'{{target="{target}", alertname="{alert}"}}', "value": 1} for target, alert in wanted
        ],
    }
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [{"interval": f"{STEP}s", "input_series": lines, "promql_expr_test": [expression]}],
    }
    file.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, width=10_000), encoding="utf-8")
    command = [str(promtool("sid")), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode == 0:
        return []
    told = done.stdout + done.stderr
    fired = {(target, alert) for alert, target in _FIRED.findall(told.partition("got:")[2])}
    assert fired, told[:5_000]
    return [
        f"{case[int(target)][1][0]}: {alert} {'fires' if (target, alert) in fired else 'does not fire'}"
        for target, alert in sorted(fired ^ set(wanted))
    ]


_FIRED = re.compile(r'\{alertname="(\w+)", target="(\d+)"\}')
