"""The seams find holes: each is made in a copy of the package, and the seam of that copy names it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from pprof_exporter import health, verdicts
from pprof_exporter.catalog import vocabulary
from pprof_exporter.catalog.failure_modes import upgrade_modes
from pprof_exporter.dashboards import target_board
from pprof_exporter.health import sampling_clock
from pprof_exporter.profile import memstats
from pprof_exporter.rules import reachability
from tests.lab import PATIENCE, PROJECT
from tests.seams import checks, faults, modes, reasons, runbooks

PACKAGE = Path("exporter", "pprof_exporter")
RUNBOOKS = Path("rules", "runbooks")
PROSE = Path("docs", "signals")


def source(module: ModuleType) -> Path:
    """The file of a module, within the project."""
    return Path(str(module.__file__)).relative_to(PROJECT)


@dataclass(frozen=True, slots=True)
class Hole:
    """A change of one file, by a regular expression that has to be found, and what the seam says of it."""

    seam: str
    file: Path
    old: str
    new: str
    named: str


NEW_CHECK = '''
def spent(fetched: FetchedProfile) -> list[Reading]:
    """A check without a live fault."""
    return []


PROFILE_CHECKS: tuple[ProfileCheck, ...] = (spent, '''

HOLES = {
    "a reading that is a constant": Hole(
        "checks",
        PACKAGE / "health" / "blocked_and_gc.py",
        r"value_with_frame\(profile, count, Trait.COLLECTOR\)",
        "0",
        "blocked_and_gc: pprof_cpu_gc_samples_total is the same in every recording: 0",
    ),
    "a reading that is a constant, in crafted profiles too": Hole(
        "checks",
        PACKAGE / "health" / "time_stamps.py",
        r"int\(back\)",
        "0",
        "time_stamps: pprof_profile_clock_regressions_total is the same in the crafted profile too: 0",
    ),
    "a figure of the audit that is a constant": Hole(
        "checks",
        source(sampling_clock),
        r"rate=_rate\(measured, period\)",
        "rate=100.0",
        "audit: rate is the same in every recording: 100.0",
    ),
    "a figure of MemStats that is a constant": Hole(
        "checks",
        source(memstats),
        r"num_forced_gc=[^\n]+",
        "num_forced_gc=0,",
        "memstats: num_forced_gc is the same in every recording: 0",
    ),
    "a check that leaves a reading out": Hole(
        "checks",
        PACKAGE / "health" / "coverage.py",
        r"        Reading\(sampling\.CPU_RATE, [^\n]+\n",
        "",
        "nothing reads pprof_cpu_effective_rate_hertz",
    ),
    "a check without readings": Hole(
        "checks",
        PACKAGE / "health" / "goroutine_states.py",
        r'!= "goroutine"',
        '!= "no such type"',
        "goroutine_states reads nothing",
    ),
    "a check that is not in the table of faults": Hole(
        "checks",
        source(health),
        r"PROFILE_CHECKS: tuple\[ProfileCheck, ...\] = \(",
        NEW_CHECK,
        "spent has no live fault",
    ),
    "a runbook that is to be written": Hole(
        "runbooks",
        RUNBOOKS / "PprofFetchSlow.md",
        r"(?s)## Impact\n.*?(?=\n## )",
        "## Impact\n\nTODO: say what that means for the users of it.\n",
        "Impact in the runbook of PprofFetchSlow says TODO",
    ),
    "a runbook without a section": Hole(
        "runbooks",
        RUNBOOKS / "PprofFetchSlow.md",
        r"(?s)## Mitigation\n.*?(?=\n## )",
        "",
        "the runbook of PprofFetchSlow lacks Mitigation",
    ),
    "a runbook with an empty section": Hole(
        "runbooks",
        RUNBOOKS / "PprofFetchSlow.md",
        r"(?s)## Mitigation\n.*?(?=\n## )",
        "## Mitigation\n",
        "Mitigation in the runbook of PprofFetchSlow is not written",
    ),
    "a failure mode without a verdict": Hole(
        "modes", source(verdicts), r'    "F14": [^\n]+\n', "", "F14 has no verdict"
    ),
    "a failure mode without an alert": Hole("modes", source(reachability), '"F14"', '"F13"', "F14 has no alert"),
    "a failure mode without a panel": Hole(
        "modes",
        source(target_board),
        "pprof_truncated_stack_ratio",
        "pprof_unsymbolized_ratio",
        "F9 has no panel",
    ),
    "a failure mode without prose": Hole(
        "modes",
        PROSE / "F9.md",
        r"(?s)\*\*Limits\*\*\n.*?(?=\n\*\*Healthy)",
        "**Limits**\n",
        "limits of F9 is not written",
    ),
    "a new failure mode, and nothing else": Hole(
        "modes",
        source(upgrade_modes),
        'id="F20"',
        'id="F22"',
        "F22 has no section in docs/concepts.md",
    ),
    "a reason without a group": Hole(
        "reasons", source(vocabulary), r'GZIP = "gzip", ReasonGroup\.\w+', 'GZIP = "gzip"', "reason 'gzip' has no group"
    ),
    "a reason without an explanation": Hole(
        "reasons",
        source(vocabulary),
        r"    Reason\.GZIP: \([^()]*\),\n",
        '    Reason.GZIP: ("", ""),\n',
        "advice of gzip is not written",
    ),
    "a group without reasons": Hole(
        "reasons",
        source(vocabulary),
        r'"busy", ReasonGroup\.BUSY',
        '"busy", ReasonGroup.REFUSED',
        "busy has no reason",
    ),
    "a bug that hangs and is in no alert": Hole(
        "reasons",
        PACKAGE / "health" / "known_bugs.py",
        r'(\n        "PprofCpuTimer64Hz",)',
        r"\1 hangs=True,",
        "golang/go#61665 has no warning of known bugs",
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the seams read of the project; compiled files come along, which saves most of the time."""
    for part in (PACKAGE, RUNBOOKS, PROSE):
        shutil.copytree(PROJECT / part, tmp_path / part)
    return tmp_path


def seam_of(copy: Path, seam: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.seams", seam],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(copy / "exporter")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_named(copy: Path, hole: str) -> None:
    made = HOLES[hole]
    file = copy / made.file
    text, count = re.subn(made.old, made.new, file.read_text(encoding="utf-8"))
    assert count, f"{made.file} has no {made.old!r} any more"
    file.write_text(text, encoding="utf-8")
    found = seam_of(copy, made.seam)
    assert f"in {copy / PACKAGE}\n" in found.stderr
    assert found.returncode == 1
    assert made.named in found.stdout + found.stderr


def test_a_copy_without_a_hole_has_none(copy: Path) -> None:
    found = seam_of(copy, "runbooks")
    assert (found.returncode, found.stdout.strip()) == (0, ""), found.stderr
    assert f"in {copy / PACKAGE}" in found.stderr


def test_a_live_fault_is_in_the_table_by_its_test() -> None:
    rows = faults.live_faults()
    assert rows["tests.live.test_injected.test_lost_samples_are_only_lost"] == ("losses",)
    assert checks.without_fault(["losses", "spent"], {"a test": ["losses", "gone"]}) == [
        "spent has no live fault",
        "there is a live fault of gone, which does not exist",
    ]


def test_a_crafted_profile_is_only_for_what_no_recording_moves() -> None:
    recorded = {"a: moves": {0, 1}, "a: rests": {0}}
    assert checks.hollow(recorded, {"a: rests": lambda: {"a: rests": {1}}}) == []
    assert checks.hollow(recorded, {"a: rests": lambda: {"a: rests": {1}}, "a: gone": dict}) == [
        "a: gone has a crafted profile, and nothing reads it"
    ]
    assert checks.hollow(recorded, {name: lambda: {"a: rests": {1}} for name in recorded}) == [
        "a: moves needs no crafted profile: recordings move it"
    ]


def test_prose_that_is_not_written_is_found() -> None:
    assert modes.without_section(["F1", "F2"], "### F1 Samples are missing\n\nTODO\n") == [
        "F2 has no section in docs/concepts.md",
        "the section of F1 in docs/concepts.md is not written",
    ]
    assert modes.without_prose({"F1": {"meaning": "It means TBD."}}) == ["meaning of F1 says TBD"]
    assert modes.without_verdict(["F1"], ["F1", "F2"]) == ["there is a verdict of F2, which does not exist"]


def test_a_runbook_without_an_alert_and_an_alert_without_a_runbook_are_found() -> None:
    assert runbooks.wanting(["PprofNew"], {}) == ["PprofNew has no runbook"]
    assert "there is a runbook of PprofOld, which does not exist" in runbooks.wanting([], {"PprofOld": "# PprofOld\n"})


def test_a_reason_without_a_group_is_found() -> None:
    assert reasons.without_group({"lost": None, "busy": "busy"}, ["busy"]) == ["lost has no group"]
