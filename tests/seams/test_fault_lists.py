"""Lists of faults agree with the code that makes the faults: tests/target/modes.go, tests/live, docs/scaling.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pprof_exporter.catalog import Reason
from tests.lab import PROJECT
from tests.live import test_faults as live
from tests.seams.table import unmatched

TABLE = re.compile(r"^\| [^|]+ \| [^|]+ \| test \|\n\| --- .*\n((?:\|.*\n)+)", re.MULTILINE)


def modes_of_the_program() -> list[str]:
    """Names of the faults that the Go program can make."""
    text = (PROJECT / "tests" / "target" / "modes.go").read_text(encoding="utf-8")
    table = text.partition("var modes = ")[2].partition("\n}\n")[0]
    return re.findall(r'^\t"([^"]+)":', table, re.MULTILINE)


def documented() -> list[tuple[str, str, list[Path]]]:
    """Each row of docs/scaling.md: the fault, its outcome, and where it is tried."""
    text = (PROJECT / "docs" / "scaling.md").read_text(encoding="utf-8")
    found = TABLE.search(text)
    assert found, "docs/scaling.md has no table of faults"
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]
    return [
        (fault, outcome, [PROJECT / path for path in re.findall(r"`([^`]+)`", tried)]) for fault, outcome, tried in rows
    ]


def test_every_fault_of_the_program_is_tried_against_the_exporter() -> None:
    text = Path(str(live.__file__)).read_text(encoding="utf-8")
    alone = re.findall(r'\.fault\("[^"]+", "([^"]+)"', text)
    assert unmatched(modes_of_the_program(), [*live.FETCH, *live.DECODE, *live.HARMLESS, *alone], "live test") == []


def test_every_reason_of_a_live_fault_exists() -> None:
    assert {*live.FETCH.values(), *live.DECODE.values()} <= set(Reason)


@pytest.mark.parametrize(("fault", "outcome", "tried"), documented(), ids=[row[0] for row in documented()])
def test_a_documented_fault_is_tried_where_the_page_says(fault: str, outcome: str, tried: list[Path]) -> None:
    assert tried
    for path in tried:
        assert path.exists(), f"{path} does not exist"
    files = [file for path in tried for file in (path.glob("*.py") if path.is_dir() else [path])]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    reasons = [Reason(name) for name in re.findall(r"`([a-z_]+)`", outcome) if name in set(Reason)]
    assert [reason for reason in reasons if f'"{reason}"' not in text and f"Reason.{reason.name}" not in text] == []
