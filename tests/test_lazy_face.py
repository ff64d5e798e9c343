"""Lazy faces of packages: their three lists agree, and a name is loaded when it is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import pytest

from pprof_exporter.lazy_face import lazy_face
from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"
FACES = [file for file in sorted(PACKAGE.rglob("__init__.py")) if "lazy_face(" in file.read_text(encoding="utf-8")]


def package_of(face: Path) -> str:
    return ".".join(face.parent.relative_to(PACKAGE.parent).parts)


def for_type_checkers(tree: ast.Module) -> dict[str, str]:
    """Names imported under `TYPE_CHECKING`, with their modules."""
    block = next(one for one in tree.body if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING")
    return {
        name.name: statement.module or ""
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }


def at_run_time(tree: ast.Module) -> dict[str, str]:
    """Names in the table for `lazy_face`, with their modules."""
    call = next(one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func) == "lazy_face")
    table: dict[str, str] = ast.literal_eval(call.args[1])
    return {name: module for module, names in table.items() for name in names.split()}


@pytest.mark.parametrize("face", FACES, ids=package_of)
def test_type_checkers_see_what_there_is(face: Path) -> None:
    tree, package = ast.parse(face.read_text(encoding="utf-8")), package_of(face)
    named = {name: f"{package}.{module}" for name, module in at_run_time(tree).items()}
    assert for_type_checkers(tree) == named
    module = importlib.import_module(package)
    assert set(module.__all__) == set(named)
    for name, home in named.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name)


@pytest.mark.parametrize("face", FACES, ids=package_of)
def test_no_name_is_that_of_a_module(face: Path) -> None:
    modules = {file.stem for file in face.parent.glob("*.py")} | {
        file.parent.name for file in face.parent.glob("*/*.py")
    }
    assert set(at_run_time(ast.parse(face.read_text(encoding="utf-8")))) & modules == set()


def test_a_module_is_loaded_with_its_first_name_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("a_package")
    module = ModuleType("a_package.numbers")
    module.__dict__["ONE"] = 1
    load = Mock(side_effect=lazy_face("a_package", {"numbers": "ONE TWO"}))
    monkeypatch.setitem(sys.modules, "a_package", package)
    monkeypatch.setitem(sys.modules, "a_package.numbers", module)
    package.__dict__["__getattr__"] = load
    assert [package.ONE, package.ONE] == [1, 1]
    load.assert_called_once_with("ONE")
    with pytest.raises(AttributeError, match="module 'a_package' has no attribute 'THREE'"):
        _ = package.THREE


def test_a_flag_is_read_without_what_a_target_has() -> None:
    code = "import sys; from pprof_exporter.config import parse_duration; sys.exit('yarl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
