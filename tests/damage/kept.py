"""What all things that are kept have in common for these tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(slots=True)
class Reading:
    """What the next start found."""

    false: list[str] = field(default_factory=list)
    """What was shown and never written, in words."""
    missing: int = 0
    """What was written and is not shown."""
    told: str = ""
    """What the exporter says is wrong, "" if nothing."""
    counted: int = 0
    """How many troubles it counted, or how often it refused."""


class Kept(Protocol):
    """One thing that is kept on disk."""

    name: str

    def write(self, root: Path, run: int, steps: int | None, done: Callable[[int], None]) -> None:
        """Write so many steps of a run, or steps without end; after each of them call `done` with their number."""

    def read(self, root: Path, written: dict[int, int]) -> Reading:
        """Start, read everything and write on. `written` has the steps that are known to be on disk, by run."""

    def kind(self, file: str) -> str:
        """Which kind of file it is."""

    def is_checked(self, kind: str, how: str, missing: int) -> bool:
        """Whether so many missing things must have been counted after this damage of such a file."""
