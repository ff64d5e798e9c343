"""Two sets of profiles as one call tree; each frame has its share before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pprof_exporter.profile import GOROUTINELEAK, KINDS, DecodeError, Profile, current_name, decode, proven_leaks

MIN_SHARE = 0.002
"""Frames with a smaller mean share are left out: a pixel or two on a wide screen."""

_MOST_BYTES = 2**28
_DEEPEST = 100
_NO_NAME = "<unknown>"


@dataclass(slots=True)
class Frame:
    """A function under its caller. `before` and `after` are shares of the total of their side, 0 to 1.

    `name` is that of the newest version of Go, so that a function which moved to another package is one frame.
    """

    name: str
    before: float = 0.0
    after: float = 0.0
    callees: dict[str, Frame] = field(default_factory=dict)

    @property
    def width(self) -> float:
        """The mean of both shares, so that removed frames are as visible as new ones."""
        return (self.before + self.after) / 2

    def children(self) -> list[Frame]:
        """The callees of at least `MIN_SHARE`, sorted by name, as in flame graphs."""
        return sorted(
            (frame for frame in self.callees.values() if frame.width >= MIN_SHARE), key=lambda frame: frame.name
        )


def difference_tree(kind: str, before: Iterable[Path], after: Iterable[Path]) -> Frame | None:
    """The call tree of all profiles of a kind; None if a side is empty. Unreadable files are skipped."""
    root = Frame("all")
    for side, files in (("before", before), ("after", after)):
        stacks = _stacks(kind, files)
        total = sum(stacks.values())
        if total <= 0:
            return None
        for stack, value in stacks.items():
            _add(root, side, stack, value / total)
    return root


def _stacks(kind: str, files: Iterable[Path]) -> dict[tuple[str, ...], int]:
    """Value per stack of current names, outermost first, over all files."""
    value = next(value for value in KINDS[kind].values if value.by_function is not None)
    found: dict[tuple[str, ...], int] = {}
    for file in files:
        try:
            profile = decode(file.read_bytes(), max_bytes=_MOST_BYTES)
        except (OSError, DecodeError):
            continue
        if kind == GOROUTINELEAK.name:
            profile = proven_leaks(profile)
        column = profile.index_of(value.sample_type)
        if column is not None:
            for stack, amount in _named(profile, column):
                found[stack] = found.get(stack, 0) + amount
    return found


def _named(profile: Profile, column: int) -> Iterator[tuple[tuple[str, ...], int]]:
    names = {
        place: tuple(
            current_name(line.function.name or line.function.system_name or _NO_NAME) for line in location.lines
        )
        or (_NO_NAME,)
        for place, location in profile.locations.items()
    }
    for stack, values, _ in profile.samples:
        if values[column] > 0:
            inward = [name for place in stack for name in names[place]]
            yield tuple(reversed(inward))[:_DEEPEST], values[column]


def _add(root: Frame, side: str, stack: Iterable[str], share: float) -> None:
    frame = root
    _grow(frame, side, share)
    for name in stack:
        frame = frame.callees.setdefault(name, Frame(name))
        _grow(frame, side, share)


def _grow(frame: Frame, side: str, share: float) -> None:
    if side == "before":
        frame.before += share
    else:
        frame.after += share
