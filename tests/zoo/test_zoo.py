"""Healthy programs that nobody here wrote, under a small load: nothing is found, nothing fires, everything is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.scenes import at_most_twice
from tests.zoo.inhabitants import NAMES
from tests.zoo.life import Complaint, Plan
from tests.zoo.packages import PACKAGES
from tests.zoo.report import Report, run

LIFE = 120.0
"""Seconds: an hour of the rules, which look back on half an hour and wait for a quarter."""
FEWEST = 10
"""Programs of the new generation, of fifteen: a package may be missing there for a while, or may need other flags."""

every_program = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What was seen in one life of the zoo."""
    return play(tmp_path_factory.mktemp("zoo"))


@at_most_twice
def play(folder: Path) -> Report:
    found = run(Plan(LIFE), folder)
    # For the message of a test that fails.
    print(f"{found.seconds:.0f} s with everything", found.table(), *map(str, found.life.pending), sep="\n")
    return found


@pytest.fixture
def program(report: Report, name: str) -> str:
    """The name of a program that is there."""
    if name in report.absent:
        pytest.skip(report.absent[name])
    return name


def of(complaints: list[Complaint], program: str) -> list[str]:
    return [str(one) for one in complaints if one.program == program]


def test_both_generations_are_there(report: Report) -> None:
    assert len(report.programs) >= len(PACKAGES) + FEWEST, report.absent


@every_program
def test_nothing_is_found_on_a_page(report: Report, program: str) -> None:
    assert of(report.life.findings, program) == []


@every_program
def test_no_alert_fires(report: Report, program: str) -> None:
    assert of(report.life.alerts, program) == [], of(report.life.pending, program)


def test_no_alert_on_the_exporter_fires(report: Report) -> None:
    others = [one for one in report.life.alerts if one.program not in report.programs]
    assert others == []
    assert "Traceback" not in report.life.log


def test_the_event_loop_of_the_exporter_is_in_time(report: Report) -> None:
    assert report.life.timers >= LIFE
    assert report.late == ""


@every_program
def test_check_finds_nothing(report: Report, program: str) -> None:
    assert report.checked[program] == []


def test_check_exits_with_success(report: Report) -> None:
    assert report.exit_code == 0, report.checked


@every_program
def test_totals_are_those_of_go(report: Report, program: str) -> None:
    profiles = [one for one in report.profiles if one.program == program]
    assert len(profiles) >= 7
    assert [str(one) for one in profiles if not one.equal] == []
    assert any(one.ours[0] for one in profiles)


@every_program
def test_identity_is_right(report: Report, program: str) -> None:
    (identity,) = [one for one in report.identities if one.program == program]
    assert identity.right, identity


def test_sampling_clocks_are_audited(report: Report) -> None:
    # Traces of Go before 1.22 cannot be audited, InfluxDB serves none, and a light program may have no profile for one.
    audited = [
        program
        for program in report.programs
        if report.life.metric(program, "pprof_tick_audits_total", outcome="success") >= 1
    ]
    assert len(audited) >= FEWEST


@every_program
def test_every_profile_was_read_again_and_again(report: Report, program: str) -> None:
    for profile in ("cpu", "heap", "allocs", "goroutine", "block", "threadcreate"):
        read = report.life.metric(program, "pprof_fetches_total", profile=profile, outcome="success")
        assert read >= 5, profile
