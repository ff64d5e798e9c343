"""Sums over a profile: totals, and weights by function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pprof_exporter.profile.model import Location, Profile
from pprof_exporter.profile.names import entry_name, is_plumbing

UNKNOWN_FUNCTION = "<unknown>"


@dataclass(frozen=True, slots=True)
class FunctionWeight:
    """Value of the samples with a function as the leaf (`flat`), or anywhere on the stack (`cum`)."""

    flat: int
    cum: int


def totals(profile: Profile) -> tuple[int, ...]:
    """Sum of the values of all samples, for each sample type."""
    if not profile.samples:
        return (0,) * len(profile.sample_types)
    return tuple(map(sum, zip(*(sample.values for sample in profile.samples), strict=True)))


def function_weights(profile: Profile, index: int) -> dict[str, FunctionWeight]:
    """Flat and cumulative value per function name, of the sample type at `index`; stacks of value 0 are left out.

    A function counts once for a stack that has it more than once, as in `go tool pprof -top`.
    """
    rows = _Rows(profile)
    for stack, value in _by_stack(profile, index).items():
        if not stack:
            continue
        rows[stack[0]][0].flat += value
        for place in stack:
            for row in rows[place]:
                if row.counted is not stack:
                    row.counted = stack
                    row.cum += value
    return {name: FunctionWeight(row.flat, row.cum) for name, row in rows.by_name.items()}


class Attribution(Enum):
    """The one function of a stack that a sample counts for."""

    LEAF = "leaf"
    """The leaf: CPU, heap."""
    CALLER = "caller"
    """The first function outside the runtime and the sync packages: the one that waited, for contention."""
    ENTRY = "entry"
    """The function that the goroutine was started with."""


def attribute(profile: Profile, index: int, attribution: Attribution) -> dict[str, int]:
    """Value per function. Each sample counts for one function, so that the values sum up to the total."""
    names = _Names(profile)
    choose = _CHOOSERS[attribution]
    booked: dict[str, int] = {}
    for stack, value in _by_stack(profile, index).items():
        name = choose(stack, names) if stack else UNKNOWN_FUNCTION
        booked[name] = booked.get(name, 0) + value
    return booked


def _by_stack(profile: Profile, index: int) -> dict[tuple[int, ...], int]:
    """Value per stack, without zeros. Samples that differ only in their labels share a stack."""
    values: dict[tuple[int, ...], int] = {}
    for stack, sampled, _ in profile.samples:
        values[stack] = values.get(stack, 0) + sampled[index]
    return {stack: value for stack, value in values.items() if value}


class _Names(dict[int, tuple[str, ...]]):
    """Function names by location id, innermost first, computed on first use.

    There is at least one name: a location without symbols is named after its file, as in `go tool pprof` reports.
    """

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._locations = profile.locations

    def __missing__(self, place: int) -> tuple[str, ...]:
        location = self._locations[place]
        functions = [line.function for line in location.lines]
        unnamed = _unsymbolised(location)
        names = tuple([function.name or function.system_name or unnamed for function in functions]) or (unnamed,)
        self[place] = names
        return names


class _Row:
    """A function while stacks are summed; `counted` is the last stack that has it."""

    __slots__ = ("counted", "cum", "flat")

    def __init__(self) -> None:
        self.flat = self.cum = 0
        self.counted: tuple[int, ...] = ()


class _Rows(dict[int, tuple[_Row, ...]]):
    """The rows of the functions of a location, by location id. Locations of one function share its row."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._names = _Names(profile)
        self.by_name: dict[str, _Row] = {}

    def __missing__(self, place: int) -> tuple[_Row, ...]:
        rows = tuple([self.by_name.setdefault(name, _Row()) for name in self._names[place]])
        self[place] = rows
        return rows


def _unsymbolised(location: Location) -> str:
    if location.mapping is None or not location.mapping.file:
        return UNKNOWN_FUNCTION
    base = location.mapping.file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"[{base}]"


def _leaf(stack: tuple[int, ...], names: _Names) -> str:
    return names[stack[0]][0]


def _caller(stack: tuple[int, ...], names: _Names) -> str:
    frames = (name for place in stack for name in names[place])
    return next((name for name in frames if not is_plumbing(name)), _leaf(stack, names))


def _entry(stack: tuple[int, ...], names: _Names) -> str:
    frames = (name for place in reversed(stack) for name in reversed(names[place]))
    return entry_name(next((name for name in frames if name != "runtime.goexit"), _leaf(stack, names)))


_CHOOSERS: dict[Attribution, Callable[[tuple[int, ...], _Names], str]] = {
    Attribution.LEAF: _leaf,
    Attribution.CALLER: _caller,
    Attribution.ENTRY: _entry,
}
