"""What failed in any group of tests is said at the end, whatever else was printed in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.__main__ import failures

ONE_OF_EACH = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no such program")

def test_right():
    pass

def test_wrong():
    assert 1 == 2, "one is not two"

def test_without_its_program(broken):
    pass
"""


def test_a_failure_and_an_error_are_told_with_their_reasons_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(ONE_OF_EACH)
    results = tmp_path / "results"
    command = [sys.executable, "-m", "pytest", "--rootdir=.", f"--junit-xml={results / '0.xml'}", "test_sample.py"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    wrong, without = failures(results)
    assert "test_sample::test_wrong" in wrong
    assert "one is not two" in wrong
    assert "test_sample::test_without_its_program" in without
    assert "no such program" in without


def test_a_group_that_was_killed_is_told(tmp_path: Path) -> None:
    (tmp_path / "3.xml").touch()
    (said,) = failures(tmp_path)
    assert "ended without a result" in said
