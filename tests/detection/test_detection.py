"""Some faults and healthy scenarios, watched as docs/detection.md describes. All of them run on command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.detection.report import line
from tests.detection.runner import run
from tests.detection.scenario import HOURS, Batch
from tests.detection.scenarios import SCENARIOS

pytestmark = pytest.mark.lab

SAMPLE = Batch("sample", replace(HOURS, healthy=20, fault=90, least=50, recovery=90), "some of each kind")
CHOSEN = {
    "login page",
    "404 to everything",
    "connections refused",
    "garbage",
    "load balancer",
    "process frozen",
    "crash loop",
    "goroutines leaked",
    "light requests",
    "no index page",
    "main ends in select",
    "batch",
}
"""Faults that are told within half an hour, and shapes that no other test has."""


def test_each_of_these_faults_is_told_by_its_own_alert_and_healthy_services_by_none(tmp_path: Path) -> None:
    chosen = [replace(one, batch=SAMPLE) for one in SCENARIOS if one.name in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    outcomes = run(SAMPLE, chosen, tmp_path, print)
    assert [line(one) for one in outcomes if one.failed] == []
