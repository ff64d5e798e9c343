"""The tree can be read: no package or file too large, no file too small without a reason, one meaning for one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from docs.floors import contracts
from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"
MOST_FILES = 25
MOST_LINES = 350
FEWEST_LINES = 25

SMALL = {
    "averages.py": "used on five floors",
    "default_profiles.py": "above settings and profiles, which know nothing of each other",
    "check/exit_codes.py": "flags of the command, which are read before a report can be made",
    "cli/watch_file.py": "a background task of its own, tested by itself",
    "config/audit_when.py": "read before settings are loaded",
    "config/config_error.py": "raised before settings are loaded",
    "config/file_stamp.py": "used on three floors",
    "evidence/capture_request.py": "what the pages know of alerts, without their payload",
    "exposition/evidence_series.py": "loaded only where evidence is saved",
    "health/goroutine_states.py": "one file for each profile check",
    "profile/errors.py": "below every reader of the package",
    "profile/mutex_rate.py": "one file for each format of Go that is read",
    "scrape/identity/facts.py": "below identity, which learns them, and profiles, which show them",
    "scrape/probing/addresses.py": "decides for the text of a request and for each connection alike",
    "rules/runbooks.py": "below every group of rules",
    "web/ciphers.py": "a table of Go's names, apart from what uses it",
}
"""Files below the limit, and why each stands alone. The faces of packages may have any length."""

ENTRY_POINTS = {"run", "main", "GROUP", "DASHBOARD", "FAMILIES", "FAILURE_MODES"}
"""Names that a package looks for in each of its modules."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_no_package_has_more_files_than_one_can_survey() -> None:
    folders = {file.parent for file in modules()}
    sizes = {str(folder.relative_to(PACKAGE)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_no_file_does_the_work_of_two() -> None:
    files = [*modules(), *sorted(PACKAGE.rglob("*.pyx"))]
    assert [str(file.relative_to(PACKAGE)) for file in files if lines(file) > MOST_LINES] == []


def test_a_file_of_a_few_lines_has_a_reason() -> None:
    small = {
        file.relative_to(PACKAGE).as_posix()
        for file in modules()
        if lines(file) < FEWEST_LINES and file.name != "__init__.py"
    }
    assert small == set(SMALL)


def test_one_public_name_has_one_meaning() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for file in modules():
        for name in _defined(ast.parse(file.read_text(encoding="utf-8"))):
            places[name].append(file.relative_to(PACKAGE).as_posix())
    again = {name: files for name, files in places.items() if len(files) > 1 and name not in ENTRY_POINTS}
    assert again == {}


def _defined(module: ast.Module) -> list[str]:
    """Public names of classes, functions and constants; type variables have no meaning of their own."""
    names: list[str] = []
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
                pass
            case ast.Assign(targets=targets):
                names += [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
    return [name for name in names if not name.startswith("_")]


@pytest.mark.parametrize("container", contracts())
def test_every_package_stands_on_a_floor(container: str) -> None:
    place = PROJECT.joinpath("exporter", *container.split("."))
    there = {entry.stem for entry in place.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()}
    assert {name for floor in contracts()[container] for name in floor} == there - {"__init__"}
