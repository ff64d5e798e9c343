"""Known bugs of Go: notes, and part of the finding of their effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.catalog import Reason, quality
from pprof_exporter.health import KNOWN_BUGS
from pprof_exporter.profile import System
from pprof_exporter.rules import ALERTS
from pprof_exporter.verdicts import BAD as BAD_LEVELS
from pprof_exporter.verdicts import VERDICT_CHECKS, TargetSnapshot, verdicts
from tests.verdicts.snapshots import (
    BUGS,
    MANY_GOROUTINES,
    audited,
    covered,
    fetched,
    of_mode,
    seen,
    several_times,
    with_cpu,
)

_REFUSED = with_cpu(fetched("cpu", Reason.WRITE_TIMEOUT))
_EFFECTS: list[tuple[str, str, str, TargetSnapshot]] = [
    ("61665", "F1", "PprofCpuTimer64Hz", replace(covered(0.64), system=System.WINDOWS)),
    ("35057", "F1", "PprofCpuCoverageLow", several_times(covered(0.5, 15.0))),
    ("44343", "F3", "PprofSamplingJitter", audited(stddev=0.006)),
    ("33250", "F5", "PprofProfileCostly", MANY_GOROUTINES),
    ("77975", "F13", "PprofTargetRestarts", replace(fetched(), restarts=4)),
    ("80982", "F6", "PprofTargetWedged", TargetSnapshot(hangs={"goroutine": True})),
    ("43296", "F8", "PprofSymbolsMissing", seen("heap", (quality.UNSYMBOLIZED, 0.05))),
    ("62358", "F15", "PprofProfileRejected", _REFUSED),
]


@pytest.mark.parametrize(("bug", "mode", "alert", "snapshot"), _EFFECTS, ids=[row[0] for row in _EFFECTS])
def test_the_finding_of_its_effect_names_a_known_bug(bug: str, mode: str, alert: str, snapshot: TargetSnapshot) -> None:
    found = verdicts(replace(snapshot, bugs=(BUGS[bug],)))

    named = {finding.alert for verdict in found for finding in verdict.findings if f"golang/go#{bug}: " in finding.said}
    assert named == {alert}
    assert of_mode(mode, replace(snapshot, bugs=(BUGS[bug],))).level in BAD_LEVELS
    assert not [note for verdict in found for note in verdict.notes if bug in note.said]


def test_a_known_bug_is_not_blamed_for_what_it_cannot_cause() -> None:
    """35057 takes more than 2.5 processors, 33250 many goroutines, 62358 a window that is refused."""
    for bug, mode, snapshot in (
        ("35057", "F1", several_times(covered(0.5))),
        ("33250", "F5", TargetSnapshot(system=System.WINDOWS, differences={"modules": 0.3})),
        ("62358", "F15", with_cpu(fetched("heap", Reason.NOT_MOUNTED))),
    ):
        found = verdicts(replace(snapshot, bugs=(BUGS[bug],)))
        assert bug not in of_mode(mode, replace(snapshot, bugs=(BUGS[bug],))).said
        assert [verdict.failure_mode.id for verdict in found if verdict.notes] == [BUGS[bug].mode]


def test_a_bug_whose_opposite_is_measured_is_a_note_that_says_so() -> None:
    (note,) = of_mode("F15", replace(with_cpu(fetched("cpu")), bugs=(BUGS["62358"],))).notes

    assert note.said.endswith("Windows of 5 s are served.")


def test_known_bugs_name_a_failure_mode_and_the_alerts_of_their_effect() -> None:
    alerts = {alert.name for alert in ALERTS}

    for bug in KNOWN_BUGS:
        assert bug.mode in VERDICT_CHECKS
        assert bug.effects
        assert bug.effects <= alerts
