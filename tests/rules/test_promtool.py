"""The rules as Prometheus itself reads and evaluates them, in both generations."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pprof_exporter.rules import ALERTS
from tests.lab import PROJECT
from tests.lab.debian import Suite
from tests.lab.prometheus import promtool

pytestmark = pytest.mark.lab

RULES = PROJECT / "rules"
SUITES: tuple[Suite, ...] = ("stable", "sid")
CASES = sorted((RULES / "tests").glob("*.yaml"))


def told(suite: Suite, *arguments: str | Path) -> str:
    """What promtool says when it refuses; "" when it is content."""
    command = [str(promtool(suite)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("suite", SUITES)
def test_prometheus_accepts_the_rules(suite: Suite) -> None:
    assert told(suite, "check", "rules", RULES / "pprof.rules.yaml") == ""


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_rules_do_what_their_tests_say(case: Path, suite: Suite) -> None:
    assert told(suite, "test", "rules", case) == ""


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_every_alert_has_a_test_and_a_runbook(name: str) -> None:
    assert (RULES / "tests" / f"{name}.yaml").is_file()
    assert (RULES / "runbooks" / f"{name}.md").is_file()
