"""Reports for machines: complete, the same from version to version, and safe whatever a name holds."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.check.exit_codes import FailOn
from pprof_exporter.check.formats import check_github, check_json, check_junit, check_markdown
from pprof_exporter.check.report import CheckReport, TargetReport, targets_worst_first
from pprof_exporter.cli.verdict_table import print_tables
from pprof_exporter.escaping import terminal_text
from pprof_exporter.verdicts import Finding, Level, Note, Verdict

NASTY = "a|b`<script>\x1b[31m\n::error::x%0A,y:*_\ufffe"


def verdict(mode: int, level: Level, said: str = "said", alert: str = "PprofHeapGrowth") -> Verdict:
    findings = (Finding(level, said, alert),) if level not in (Level.HEALTHY, Level.UNKNOWN) else ()
    return Verdict(FAILURE_MODES[mode], level, said, findings)


def judged(name: str, *levels: Level, problem: str = "", said: str = "said") -> TargetReport:
    verdicts = tuple(verdict(i, level, said) for i, level in enumerate(levels))
    return TargetReport(name, {"service": name}, "linux", "shop", "1.27.3", verdicts, problem, ("Skipped: x.",))


MIXED = judged("mixed", Level.HEALTHY, Level.UNKNOWN, Level.WARNING, Level.CRITICAL)
FINE = judged("fine", Level.HEALTHY, Level.UNKNOWN)
DOWN = judged("down", Level.CRITICAL, problem="It did not answer.")


@pytest.mark.parametrize(
    ("levels", "fail_on", "code"),
    [
        ((Level.HEALTHY, Level.UNKNOWN), FailOn.INFO, 0),
        ((Level.UNKNOWN,), FailOn.INFO, 0),
        ((Level.WARNING,), FailOn.INFO, 1),
        ((Level.WARNING,), FailOn.WARNING, 1),
        ((Level.WARNING,), FailOn.CRITICAL, 0),
        ((Level.CRITICAL,), FailOn.CRITICAL, 1),
        ((Level.CRITICAL,), FailOn.NEVER, 0),
    ],
)
def test_the_exit_code_follows_the_worst_finding(levels: tuple[Level, ...], fail_on: FailOn, code: int) -> None:
    assert CheckReport((judged("one", *levels),), fail_on).exit_code == code


def test_who_could_not_look_does_not_say_that_all_is_well() -> None:
    assert CheckReport((FINE, DOWN), FailOn.NEVER).exit_code == 2
    assert CheckReport(()).exit_code == 2


def test_the_worst_comes_first() -> None:
    assert [one.name for one in targets_worst_first([FINE, MIXED, DOWN])] == ["down", "mixed", "fine"]


def test_the_summary_names_each_that_is_not_well() -> None:
    assert CheckReport((DOWN, MIXED, FINE)).summary == (
        "3 targets: 1 without findings; mixed critical (F4); down was not checked"
    )
    assert CheckReport((FINE,)).summary == "fine has no findings"


def test_the_keys_of_the_json_form_stay() -> None:
    found = json.loads(check_json(CheckReport((DOWN, MIXED), runbook_url="https://wiki.example/pprof/"), "0.1.0"))
    assert list(found) == ["format", "version", "exporter", "exit_code", "fail_on", "summary", "targets"]
    assert (found["format"], found["version"]) == ("pprof-exporter check", 1)
    assert list(found["targets"][1]) == [
        "target",
        "labels",
        "system",
        "program",
        "go_version",
        "level",
        "problem",
        "remarks",
        "evidence",
        "verdicts",
    ]
    last = found["targets"][1]["verdicts"][3]
    assert list(last) == ["mode", "title", "level", "said", "findings", "notes"]
    assert last["findings"] == [
        {
            "level": "critical",
            "said": "said",
            "alert": "PprofHeapGrowth",
            "runbook": "https://wiki.example/pprof/PprofHeapGrowth",
        }
    ]
    assert found["targets"][0]["problem"] == "It did not answer."


def test_junit_counts_what_failed_what_is_unknown_and_what_could_not_be_looked_at() -> None:
    root = ET.fromstring(check_junit(CheckReport((DOWN, MIXED, FINE))))  # noqa: S314 - written a line above
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "3",
        "errors": "1",
        "skipped": "2",
    }
    mixed = root.find("testsuite[@name='mixed']")
    assert mixed is not None
    assert [case.get("name", "")[:2] for case in mixed if case.find("failure") is not None] == ["F3", "F4"]


def test_an_exporter_that_watches_too_has_saved_profiles_and_runbooks() -> None:
    report = CheckReport((DOWN, judged("shop:1/x y", Level.CRITICAL), FINE), exporter_url="http://exporter:9717/")
    links = [target["evidence"] for target in json.loads(check_json(report, "1"))["targets"]]
    assert links == [None, "http://exporter:9717/evidence?target=shop%3A1%2Fx+y", None]
    assert f"Saved profiles: <{links[1]}>" in check_markdown(report)
    assert report.runbook("PprofClockSkew") == "http://exporter:9717/runbooks/PprofClockSkew"
    assert CheckReport((MIXED,)).evidence(MIXED) == ""


def test_no_name_breaks_a_form() -> None:
    report = CheckReport((judged(NASTY, Level.CRITICAL, said=NASTY),), runbook_url="https://wiki.example")
    (suite,) = ET.fromstring(check_junit(report))  # noqa: S314 - written a line above
    assert "<script>" in (suite.get("name") or "")
    assert json.loads(check_json(report, "1"))["targets"][0]["target"] == NASTY

    line, summary = check_github(report)
    assert line.startswith("::error title=a|b`<script>\\x1b[31m%0A%3A%3Aerror%3A%3Ax%250A%2Cy%3A*_")
    assert "\n" not in line
    assert "\n" not in summary
    assert "::" not in summary

    markdown = check_markdown(report)
    (row,) = [text for text in markdown.splitlines() if text.startswith("| 🟥")]
    assert row.count("|") - row.count(r"\|") == 5
    assert "<script>" not in markdown.replace(r"\<script\>", "")
    assert "\x1b" not in markdown


def test_github_has_errors_and_warnings_only_for_what_the_job_fails_for() -> None:
    kinds = [line.split(" ")[0] for line in check_github(CheckReport((MIXED,), FailOn.CRITICAL))]
    assert kinds[:-1] == ["::notice", "::error"]
    kinds = [line.split(" ")[0] for line in check_github(CheckReport((MIXED,), FailOn.INFO))]
    assert kinds[:-1] == ["::warning", "::error"]
    assert list(check_github(CheckReport((DOWN,)))) == [
        "::error title=down%3A not checked::It did not answer.",
        "down was not checked.",
    ]


NOTED = replace(
    FINE,
    verdicts=(
        Verdict(FAILURE_MODES[0], Level.HEALTHY, "well", (), (Note("a | note", "PprofKnownBug"),)),
        Verdict(FAILURE_MODES[1], Level.UNKNOWN, "unknown", (), (Note("another"),)),
    ),
)


@pytest.mark.parametrize("fail_on", list(FailOn))
def test_a_note_changes_neither_level_nor_count_nor_exit_code(fail_on: FailOn) -> None:
    report = CheckReport((NOTED,), fail_on, exporter_url="http://exporter:9717")

    assert (report.exit_code, report.summary, NOTED.level) == (0, "fine has no findings", Level.HEALTHY)
    assert NOTED.counts() == {Level.UNKNOWN: 1, Level.HEALTHY: 1}
    assert report.evidence(NOTED) == ""
    assert list(check_github(report)) == ["fine has no findings."]


def test_every_form_has_the_notes_apart() -> None:
    report = CheckReport((NOTED,), runbook_url="https://wiki.example")
    first, second = json.loads(check_json(report, "1"))["targets"][0]["verdicts"]
    assert first["notes"] == [{"said": "a | note", "runbook": "https://wiki.example/PprofKnownBug"}]
    assert second["notes"] == [{"said": "another", "runbook": None}]

    suite = ET.fromstring(check_junit(report))[0]  # noqa: S314 - written a line above
    assert [(case.find("failure"), case.findtext("system-out")) for case in suite] == [
        (None, "well\nnote: a | note"),
        (None, "note: another"),
    ]

    markdown = check_markdown(report)
    assert "<details><summary>Notes (2)</summary>" in markdown
    assert r"- F1: a \| note [Runbook](<https://wiki.example/PprofKnownBug>)" in markdown
    assert markdown.index("Notes (2)") > markdown.index("1 unknown, 1 healthy")

    console = Console(file=StringIO(), width=100, highlight=False)
    print_tables(report, console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert text.index("another") > text.index("a | note") > text.index("unknown")
    assert text.rstrip().endswith("fine has no findings.")


def test_markdown_folds_what_is_well() -> None:
    text = check_markdown(CheckReport((MIXED,), runbook_url="https://wiki.example/pprof"))
    assert "[PprofHeapGrowth](<https://wiki.example/pprof/PprofHeapGrowth>)" in text
    assert "<details><summary>1 unknown, 1 healthy</summary>" in text
    assert text.index("🟥 critical") < text.index("🟧 warning") < text.index("<details>")


TRAPS = "[red]\x00\x07\t\r\n\x1b]0;T\x07\x7f\x85\x9b\u061c\u200b\u2028\u202e\u2066\ufeff\ud800"


@pytest.mark.parametrize("form", ["table", "json", "junit", "markdown", "github"])
def test_no_form_shows_a_person_what_has_no_shape(form: str) -> None:
    hostile = replace(
        judged(TRAPS, Level.CRITICAL, Level.HEALTHY, Level.UNKNOWN, said=TRAPS),
        labels={TRAPS: TRAPS},
        program=TRAPS,
        go_version=TRAPS,
        remarks=(TRAPS,),
    )
    noted = replace(NOTED, verdicts=(replace(NOTED.verdicts[0], notes=(Note(TRAPS, "PprofKnownBug"),)),))
    report = CheckReport((judged(TRAPS, problem=TRAPS), hostile, noted), exporter_url="http://exporter:9717")
    match form:
        case "table":
            console = Console(file=StringIO(), width=200, highlight=False)
            print_tables(report, console)
            assert isinstance(console.file, StringIO)
            text = console.file.getvalue()
            assert "[red]" in text
        case "json":
            text = check_json(report, "1")
        case "junit":
            text = check_junit(report)
        case "markdown":
            text = check_markdown(report)
        case _:
            text = "\n".join(check_github(report))
    assert {character for character in text if terminal_text(character) != character} <= {"\t", "\n"}
    text.encode()
