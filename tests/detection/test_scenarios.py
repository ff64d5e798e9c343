"""The scenarios cover what they are said to, and docs/detection.md has the outcome of each."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules import ALERTS
from tests.detection import report
from tests.detection.healthy import HEALTHY
from tests.detection.runner import Outcome
from tests.detection.scenario import BATCHES, Scenario
from tests.detection.scenarios import FAULTS, SCENARIOS, UNCLAIMED_ALERTS

NOTIFYING = {alert.name for alert in ALERTS if alert.severity is not Severity.INFO}
CLAIMED = {name for one in FAULTS for name in one.claimed}


def test_there_are_sixty_faults_and_fifteen_healthy_scenarios() -> None:
    assert len([one for one in FAULTS if one.claimed]) >= 60
    assert len(HEALTHY) >= 15


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = Counter(one.name for one in SCENARIOS)
    slugs = Counter(re.sub(r"\W", "-", one.name.lower()) for one in SCENARIOS)
    assert [name for name, count in (names | slugs).items() if count > 1] == []


def test_each_alert_that_notifies_is_claimed_or_has_a_reason() -> None:
    assert set(UNCLAIMED_ALERTS) == NOTIFYING - CLAIMED


def test_each_claim_is_an_alert_that_notifies() -> None:
    assert {name for one in SCENARIOS for name in (*one.claimed, *one.companions, *one.lasting)} <= NOTIFYING


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.name)
def test_a_fault_claims_alerts_or_says_why_not(one: Scenario) -> None:
    assert one.mode in {mode.id for mode in FAILURE_MODES}
    assert bool(one.claimed) != bool(one.unclaimed)
    assert one.said.endswith(".")


@pytest.mark.parametrize("one", HEALTHY, ids=lambda one: one.name)
def test_a_healthy_scenario_claims_nothing(one: Scenario) -> None:
    assert not one.mode
    assert (one.claimed, one.companions, one.unclaimed) == ((), (), "")


def test_each_batch_has_scenarios() -> None:
    assert {one.batch.name for one in SCENARIOS} == {batch.name for batch in BATCHES}


def test_the_page_has_the_outcome_of_each_scenario_and_none_failed() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    assert [one.name for one in SCENARIOS if (one.name, one.said) not in rows] == []
    assert report.FAILED not in text


def outcome(name: str, **values: object) -> Outcome:
    scenario = next(one for one in SCENARIOS if one.name == name)
    return Outcome(scenario, **{"told": {}, "resolved": 1.0, **values})  # type: ignore[arg-type]  # passed through


def test_a_claim_fails_if_it_is_not_told_something_else_is_or_nothing_ends() -> None:
    told = {"PprofTargetDown": 6.0}
    assert not outcome("connections refused", told=told).failed
    assert outcome("connections refused").missed == ("PprofTargetDown",)
    assert outcome("connections refused", told={**told, "PprofGcPressure": 7.0}).foreign == ("PprofGcPressure",)
    assert outcome("connections refused", told=told, early=("PprofFetchSlow",)).foreign == ("PprofFetchSlow",)
    assert outcome("connections refused", told=told, resolved=None).failed
    assert outcome("connections refused", told=told, troubles=("it did not start",)).failed
    assert not outcome("idle").failed
    assert outcome("idle", told=told).failed


def test_the_page_shows_what_failed() -> None:
    text = report.page([outcome("idle", told={"PprofTargetDown": 6.0}), outcome("connections refused")])
    assert f"PprofTargetDown: {report.FAILED}" in text
    assert "| Reported by all their alerts | 0 (0 %) |" in text
    assert "| Healthy scenarios with a warning or critical alert | 1 |" in text


def test_outcomes_are_kept_beside_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "replies").mkdir()
    file = tmp_path / "replies" / report.KEPT
    report.keep([outcome("idle"), outcome("connections refused")], file)
    report.keep([outcome("idle", told={"PprofTargetDown": 6.0})], file)
    found = {one.scenario.name: one for one in report.kept(tmp_path)}
    assert found["idle"].told == {"PprofTargetDown": 6.0}
    assert found["connections refused"].missed == ("PprofTargetDown",)
