"""The rules as Prometheus itself reads and evaluates them, in both generations."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pprof_exporter.rules import ALERTS, GROUPS, RuleGroup, render_rules
from tests.lab import PATIENCE, PROJECT
from tests.lab.debian import Suite
from tests.lab.prometheus import promtool

pytestmark = pytest.mark.lab

RULES = PROJECT / "rules"
SUITES: tuple[Suite, ...] = ("stable", "sid")
CASES = sorted((RULES / "tests").glob("*.yaml"))


def told(suite: Suite, *arguments: str | Path) -> str:
    """What promtool says when it refuses; "" when it is content."""
    command = [str(promtool(suite)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("suite", SUITES)
def test_prometheus_accepts_the_rules(suite: Suite) -> None:
    assert told(suite, "check", "rules", RULES / "pprof.rules.yaml") == ""


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_rules_do_what_their_tests_say(case: Path, suite: Suite, tmp_path: Path) -> None:
    text = case.read_text(encoding="utf-8")
    shipped = "rule_files: [../pprof.rules.yaml]"
    assert text.count(shipped) == 1
    # promtool evaluates each rule at each step: with the groups that a test speaks of it takes a fraction of the time.
    groups = concerned(text)
    (tmp_path / "rules.yaml").write_text(render_rules(groups), encoding="utf-8")
    # Without it the order is by chance, and a group sees what another one recorded at this step or at the one before.
    # With steps of five minutes Prometheus 3 shows nothing of the one before.
    order = f"group_eval_order: {[group.name for group in groups]}"
    (tmp_path / case.name).write_text(text.replace(shipped, f"rule_files: [rules.yaml]\n{order}"), encoding="utf-8")
    assert told(suite, "test", "rules", tmp_path / case.name) == ""


def concerned(text: str) -> tuple[RuleGroup, ...]:
    """The groups with a rule that the text names, and those that these read from."""
    left, found = set(GROUPS), set[RuleGroup]()
    while new := {group for group in left if any(rule.name in text for rule in group.rules)}:
        left, found = left - new, found | new
        text = " ".join(rule.expr for group in new for rule in group.rules)
    return tuple(group for group in GROUPS if group in found)


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_every_alert_has_a_test_and_a_runbook(name: str) -> None:
    assert (RULES / "tests" / f"{name}.yaml").is_file()
    assert (RULES / "runbooks" / f"{name}.md").is_file()
