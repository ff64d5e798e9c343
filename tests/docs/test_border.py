"""Each row of the page on inputs names a test that exists; those held against Go or Prometheus run the real thing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "border.md"
_TEST = re.compile(r"^`(tests/[\w/]+\.py)::(test_\w+)`$")


def rows() -> list[tuple[str, str]]:
    """What comes in, and the test, of every row."""
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0] != "input" and set(cells[0]) != {"-"}:
            found.append((cells[0], cells[3]))
    return found


def test_the_page_has_its_rows() -> None:
    assert len(rows()) > 30


@pytest.mark.parametrize(("what", "named"), rows())
def test_the_test_of_a_row_exists(what: str, named: str) -> None:
    matched = _TEST.match(named)
    assert matched is not None, f"{what}: name the test as `tests/FILE.py::test_NAME`"
    tree = ast.parse((PROJECT / matched[1]).read_text())
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert matched[2] in tests
