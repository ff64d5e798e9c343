"""Each failure mode: when it is told, when it nearly is, and when nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.catalog import Reason, quality
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.profile import System
from pprof_exporter.rules import ALERTS
from pprof_exporter.verdicts import VERDICT_CHECKS, Level, TargetSnapshot, verdicts, worst_level
from tests.verdicts.rows import BAD, NOTES, UNKNOWN, WELL
from tests.verdicts.snapshots import (
    compared,
    covered,
    fetched,
    of_mode,
    seen,
    timed,
)


@pytest.mark.parametrize(
    ("mode", "level", "alert", "snapshot"), BAD, ids=[f"{row[0]}-{row[2]}-{row[1]}" for row in BAD]
)
def test_what_is_wrong_is_said_with_the_alert_that_would_tell_of_it(
    mode: str, level: Level, alert: str, snapshot: TargetSnapshot
) -> None:
    found = of_mode(mode, snapshot)

    assert (found.level, found.findings[0].alert) == (level, alert)
    assert found.said.endswith(".")


@pytest.mark.parametrize(("mode", "alert", "snapshot"), NOTES, ids=[f"{row[0]}-{row[1]}" for row in NOTES])
def test_what_needs_no_action_is_a_note(mode: str, alert: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert found.findings == ()
    assert found.level in (Level.HEALTHY, Level.UNKNOWN)
    assert [note.alert for note in found.notes] == [alert]
    assert all(note.said.endswith(".") for note in found.notes)
    assert worst_level(verdicts(snapshot)) in (Level.HEALTHY, Level.UNKNOWN)


@pytest.mark.parametrize(("mode", "snapshot"), WELL)
def test_what_is_measured_and_within_its_limits_is_healthy(mode: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert (found.level, found.findings) == (Level.HEALTHY, ())
    assert found.said.endswith(".")


@pytest.mark.parametrize(("mode", "snapshot"), UNKNOWN)
def test_what_cannot_be_measured_is_unknown_and_says_why(mode: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert found.level is Level.UNKNOWN
    assert found.said.endswith(".")


def test_every_failure_mode_has_a_verdict_and_is_tried_here_in_all_three_ways() -> None:
    modes = [mode.id for mode in FAILURE_MODES]

    assert list(VERDICT_CHECKS) == modes
    assert (
        {row[0] for row in BAD} | {row[0] for row in NOTES}
        == {row[0] for row in WELL}
        == {row[0] for row in UNKNOWN}
        == set(modes)
    )


def test_a_finding_names_an_alert_of_its_failure_mode() -> None:
    modes = {(alert.name, alert.mode) for alert in ALERTS}

    for mode, _, alert, _ in BAD:
        if alert == "PprofExporterDeferring":  # it is told of the exporter, which is who waits
            continue
        assert (alert, mode) in modes


def test_every_alert_that_one_look_can_see_is_named() -> None:
    # These speak of hours, or of many targets.
    over_time = {"PprofProfileStale", "PprofFleetRegression"}

    alerts = {alert.name for alert in ALERTS if not alert.name.startswith("PprofExporter")}
    assert ({row[2] for row in BAD} | {row[1] for row in NOTES if row[1]}) - {
        "PprofExporterDeferring"
    } == alerts - over_time


def test_a_verdict_has_no_other_limits_than_the_alert() -> None:
    assert of_mode("F5", timed(3.0), {"fetch_very_slow": 4.0, "fetch_slow": 4.0}).level is Level.HEALTHY


def test_the_worst_finding_speaks_for_its_failure_mode() -> None:
    found = of_mode("F4", seen("heap", (quality.CLOCK_SKEW, 40.0), (quality.CLOCK_REGRESSIONS, 1.0)))

    assert [finding.level for finding in found.findings] == [Level.CRITICAL, Level.WARNING]
    assert found.said == found.findings[0].said


@pytest.mark.parametrize("row", [row for row in BAD if row[0] in ("F5", "F7")], ids=lambda row: row[2])
def test_no_latency_is_judged_while_the_exporter_is_overloaded(row: tuple[str, Level, str, TargetSnapshot]) -> None:
    mode, _, _, snapshot = row

    assert of_mode(mode, replace(snapshot, overloaded=True)).level is Level.UNKNOWN


def test_while_the_exporter_is_overloaded_other_signals_are_still_judged() -> None:
    slow, lossy = compared("fetch_duration_seconds:heap", 0.01, 0.2), compared("cpu_coverage_ratio", 0.98, 0.64)

    assert of_mode("F20", replace(slow, overloaded=True)).level is Level.UNKNOWN
    assert of_mode("F20", replace(lossy, overloaded=True)).level is Level.WARNING
    assert of_mode("F6", TargetSnapshot(hangs={"goroutine": True}, overloaded=True)).level is Level.CRITICAL


def test_of_several_processes_only_the_address_is_judged() -> None:
    wrong = replace(covered(0.5), several=True, up=True)

    assert {found.failure_mode.id for found in verdicts(wrong) if found.level is not Level.UNKNOWN} == {"F16"}
    assert of_mode("F13", replace(wrong, up=False)).level is Level.CRITICAL


def test_foreign_modules_are_not_applicable_where_profiles_do_not_list_them() -> None:
    found = of_mode("F17", TargetSnapshot(system=System.LINUX))

    assert (found.level, found.findings) == (Level.NOT_APPLICABLE, ())
    assert worst_level((found, of_mode("F1", covered(1.0)))) is Level.HEALTHY


def test_the_worst_of_all_is_unknown_only_where_nothing_is_known() -> None:
    assert worst_level(verdicts(TargetSnapshot())) is Level.UNKNOWN
    assert worst_level(verdicts(fetched())) is Level.HEALTHY
    assert worst_level(verdicts(TargetSnapshot(up=False, down=Reason.CONNECT))) is Level.CRITICAL
