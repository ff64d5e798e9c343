"""The table of live faults: which tests of real programs move the readings of which health check.

The rows stand where the faults are made: a test says with `@exercises(...)` what it exercises.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

TESTS = Path(__file__).parents[1]
FOLDERS = ("live", "e2e")

_ROWS: dict[str, tuple[str, ...]] = {}
_Test = TypeVar("_Test", bound=Callable[..., object])


def exercises(*checks: Callable[..., object]) -> Callable[[_Test], _Test]:
    """Enters a test into the table: its fault moves readings of each of these checks."""

    def enter(test: _Test) -> _Test:
        _ROWS[f"{test.__module__}.{test.__qualname__}"] = tuple(check.__name__ for check in checks)
        return test

    return enter


def live_faults() -> dict[str, tuple[str, ...]]:
    """Names of the checks that each test exercises, by the name of the test."""
    for folder in FOLDERS:
        for path in sorted((TESTS / folder).glob("test_*.py")):
            if "@exercises(" in path.read_text(encoding="utf-8"):
                import_module(f"tests.{folder}.{path.stem}")
    return dict(_ROWS)
