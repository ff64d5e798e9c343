"""Functions that a release of Go has in another package than the release before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackageMove:
    """Functions that package `old` had, and that package `new` has since Go 1.`minor`.

    `functions` has their names within `new`, such as `(*Mutex).lockSlow`, between spaces. In `old` they had the prefix
    of a bundled package, such as `http2`, if any. `had` is the number of functions of `old` in the release before,
    `left` the number of those that it still has.
    """

    minor: int
    old: str
    new: str
    had: int
    left: int
    functions: str
    prefix: str = ""

    @property
    def moved(self) -> int:
        """Number of functions that moved."""
        return len(self.functions.split())

    def names(self) -> Iterator[tuple[str, str]]:
        """Old and new name of each function, as in profiles."""
        for function in self.functions.split():
            yield f"{self.old}.{_prefixed(function, self.prefix)}", f"{self.new}.{function}"


def _prefixed(function: str, prefix: str) -> str:
    """The name that the bundler made: `(*http2Transport).RoundTrip` of `(*Transport).RoundTrip`."""
    star = "(*" if function.startswith("(*") else ""
    return f"{star}{prefix}{function.removeprefix(star)}"
