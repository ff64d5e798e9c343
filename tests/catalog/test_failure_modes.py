"""Every failure mode is explained, and every metric of a target speaks of at least one."""

from __future__ import annotations

import re

import pytest

from docs.prose import FOLDER, prose_of
from pprof_exporter.catalog import FAMILIES, Family, Reason
from pprof_exporter.catalog.failure_modes import FAILURE_MODES, FailureMode
from pprof_exporter.catalog.thresholds import THRESHOLDS, THRESHOLDS_BY_NAME

OF_TARGETS = [family for family in FAMILIES if "target" in family.labels]


def each() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("signal", FAILURE_MODES, ids=lambda signal: signal.id)


def test_failure_modes_are_numbered_from_1_without_a_gap() -> None:
    assert [mode.id for mode in FAILURE_MODES] == [f"F{number}" for number in range(1, len(FAILURE_MODES) + 1)]


@pytest.mark.parametrize("family", OF_TARGETS, ids=lambda family: family.name)
def test_every_metric_of_a_target_speaks_of_a_failure_mode(family: Family) -> None:
    assert any(family in mode.families for mode in FAILURE_MODES)


@each()
def test_a_signal_names_metrics_of_the_catalogue_once_each(signal: FailureMode) -> None:
    assert signal.families
    assert len(set(signal.families)) == len(signal.families)
    assert set(signal.families) <= set(OF_TARGETS)


@each()
def test_a_signal_says_all_that_a_reader_needs(signal: FailureMode) -> None:
    prose = prose_of(signal.id)
    for text in (prose.meaning, prose.limits, prose.healthy):
        assert text.endswith(".")
    assert prose.computation
    assert signal.title[0].isupper()
    assert not signal.title.endswith(".")


def test_every_file_of_prose_is_on_a_failure_mode() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {mode.id for mode in FAILURE_MODES}


@each()
def test_issues_say_where_they_are(signal: FailureMode) -> None:
    assert len(set(signal.issues)) == len(signal.issues)
    for issue in signal.issues:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", issue)


@each()
def test_reasons_that_a_signal_names_exist(signal: FailureMode) -> None:
    for reason in re.findall(r'reason="(\w+)"', prose_of(signal.id).text):
        assert reason in set(Reason)


def test_thresholds_have_names_of_their_own_and_a_reason() -> None:
    assert len(THRESHOLDS_BY_NAME) == len(THRESHOLDS)
    assert all(threshold.reason and "|" not in threshold.reason for threshold in THRESHOLDS)
