"""`check` on saved profiles, on captures, and on what is neither."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.cli import main
from tests.capture.test_capture import SHOP, bodies, one_round, writer
from tests.recorded import LINUX, PROGRAMS, RECORDINGS, WITH_LEAK_DETECTION

NEWEST = RECORDINGS / LINUX[-1]


def checked(capsys: pytest.CaptureFixture[str], *argv: str | Path, code: int = 0) -> dict[str, Any]:
    assert main(["check", "--format", "json", *map(str, argv)], {}) == code
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    assert found["exit_code"] == code
    return found


def levels(target: dict[str, Any]) -> dict[str, str]:
    return {verdict["mode"]: verdict["level"] for verdict in target["verdicts"]}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("file", ["heap.pb.gz", "goroutine.pb.gz", "cpu_burn2.pb.gz", "mutex.pb.gz", "block.pb.gz"])
def test_a_healthy_profile_in_a_file_has_no_findings(
    program: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (target,) = checked(capsys, RECORDINGS / program / file)["targets"]
    assert target["problem"] is None
    assert [verdict["mode"] for verdict in target["verdicts"]] == [mode.id for mode in FAILURE_MODES]
    assert set(levels(target).values()) <= {"healthy", "unknown", "not_applicable"}


@pytest.mark.parametrize("program", WITH_LEAK_DETECTION)
def test_leaked_goroutines_in_a_file_are_a_finding(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    (target,) = checked(capsys, RECORDINGS / program / "goroutineleak_leaks.pb.gz", code=1)["targets"]
    assert levels(target)["F10"] == "warning"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_folder_is_judged_as_one_program(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    leaks = program in WITH_LEAK_DETECTION
    # The trace and the metrics page prove the version, the records that mutex profiling is on: golang/go 80982.
    deadlocks = program == "windows-go1.24.11"
    (target,) = checked(capsys, RECORDINGS / program, code=1 if leaks else 0)["targets"]
    assert target["system"] == program.partition("-")[0]
    assert {"F8": "healthy", "F11": "healthy"}.items() <= levels(target).items()
    assert (levels(target)["F10"] == "warning") == leaks
    (hangs,) = [verdict for verdict in target["verdicts"] if verdict["mode"] == "F6"]
    assert hangs["level"] == "unknown"
    assert any("golang/go#80982" in note["said"] for note in hangs["notes"]) == deadlocks
    assert target["remarks"][0].startswith("Skipped: ")


def test_what_nobody_timed_is_unknown_and_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    (target,) = checked(capsys, NEWEST / "heap.pb.gz")["targets"]
    assert {levels(target)[mode] for mode in ("F1", "F5", "F6", "F7", "F13", "F14", "F15", "F19")} == {"unknown"}


def test_a_capture_is_judged_after_its_last_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = writer(tmp_path)
    for number in range(2):
        made.write(SHOP, one_round(number), bodies())
    (target,) = checked(capsys, "--label", "team=a", tmp_path)["targets"]
    assert target["target"] == "shop:6060"
    assert target["labels"] == {"service": "shop", "team": "a"}
    assert target["remarks"] == ["After 2 recorded rounds."]
    assert {"F1": "healthy", "F3": "healthy", "F5": "healthy", "F8": "healthy"}.items() <= levels(target).items()


def test_a_profile_comes_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (NEWEST / "heap.pb.gz").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
    (target,) = checked(capsys, "-")["targets"]
    assert (target["target"], levels(target)["F8"]) == ("standard input", "healthy")


def test_thresholds_are_those_of_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    (target,) = checked(capsys, "--set", "profiler_memory=1000", NEWEST, code=1)["targets"]
    assert levels(target)["F11"] == "warning"


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 0), ("never", 0), ("warning", 1), ("info", 1)])
def test_the_level_that_fails_can_be_chosen(fail_on: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = RECORDINGS / WITH_LEAK_DETECTION[0] / "goroutineleak_leaks.pb.gz"
    assert checked(capsys, "--fail-on", fail_on, path, code=code)["fail_on"] == fail_on


@pytest.mark.parametrize("name", ["not_mounted.txt", "MANIFEST.json", "index.html"])
def test_a_file_that_is_no_profile_could_not_be_looked_at(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (target,) = checked(capsys, NEWEST / name, code=2)["targets"]
    assert target["problem"]
    assert target["verdicts"] == []


def test_a_capture_without_a_round_could_not_be_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer(tmp_path)
    (target,) = checked(capsys, tmp_path, code=2)["targets"]
    assert target["problem"] == "It has no complete round."


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "no targets"),
        (["./heap.pb.gz"], "./heap.pb.gz: no such file or folder"),
        (["heap.pb.gz"], "heap.pb.gz: no such file or folder"),
        (["ftp://shop"], "the scheme must be http or https"),
        (["shop:1", "--config.file", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_be_checked_is_said_with_exit_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *argv], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--set", "heap=1", "x"], "unknown threshold 'heap'"),
        (["--fail-on", "worst", "x"], "--fail-on"),
        (["--label", "team", "x"], "'team': write NAME=VALUE"),
        (["--rounds", "0", "x"], "not a whole number above 0"),
    ],
)
def test_wrong_arguments_are_refused(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", *argv], {})
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_tables_fit_the_width_that_there_is_and_have_no_colours_in_a_pipe(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["check", str(RECORDINGS / WITH_LEAK_DETECTION[0]), "--runbook-url", "https://wiki.example/p"], {}) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert max(cell_len(line.rstrip()) for line in lines if not line.startswith("/") and "warning (F" not in line) <= (
        columns
    )
    assert "20 goroutines are leaked: they can never run again." in out or columns < 80
    assert "https://wiki.example/p/PprofGoroutinesLeaked" in out.replace("\n", "") or columns < 80


def test_github_adds_a_summary_to_the_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    path = RECORDINGS / WITH_LEAK_DETECTION[0] / "goroutineleak_leaks.pb.gz"
    assert main(["check", "--format", "github", str(path)], {"GITHUB_STEP_SUMMARY": str(summary)}) == 1
    assert capsys.readouterr().out.startswith("::warning title=")
    assert summary.read_text().startswith("before\n## pprof-exporter check\n")


def test_junit_is_xml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "junit", str(NEWEST / "heap.pb.gz")], {}) == 0
    root = ET.fromstring(capsys.readouterr().out)  # noqa: S314 - written a line above
    assert (root.get("tests"), root.get("failures")) == ("20", "0")
