"""Long scenes that many tests look at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar

from tests.lab import Missing

Result = TypeVar("Result")

_TRIES = 2


def at_most_twice(play: Callable[[Path], Result]) -> Callable[[Path], Result]:
    """Play a scene for a fixture of a module, in a folder of its own, at most twice if it fails.

    pytest-rerunfailures sets up a failed fixture again for each test that is run again: dozens of tests of one scene
    would play it dozens of times.
    """
    failures: list[Exception] = []

    @wraps(play)
    def limited(folder: Path) -> Result:
        if len(failures) >= _TRIES:
            raise failures[-1]
        try:
            return play(folder)
        except Missing:
            raise
        except Exception as error:
            failures.append(error)
            raise

    return limited
