"""Sums over a profile: totals, and weights by function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from pprof_exporter.profile.model import Function, Location, Profile, Sample
from pprof_exporter.profile.names import entry_name, is_plumbing

UNKNOWN = "<unknown>"


@dataclass(frozen=True, slots=True)
class Weight:
    """Value of the samples in which a function is the leaf (`flat`), or is anywhere on the stack (`cum`)."""

    flat: int
    cum: int


def totals(profile: Profile) -> tuple[int, ...]:
    """Sum of the values of all samples, one per sample type."""
    if not profile.samples:
        return (0,) * len(profile.sample_types)
    return tuple(map(sum, zip(*(sample.values for sample in profile.samples), strict=True)))


def function_weights(profile: Profile, index: int) -> dict[str, Weight]:
    """Flat and cumulative value per function name, of the sample type at `index`; samples of value 0 are left out.

    A function that stands on a stack more than once counts once, as in `go tool pprof -top`.
    """
    names = _Names()
    flat: dict[str, int] = {}
    cum: dict[str, int] = {}
    for sample in profile.samples:
        value = sample.values[index]
        if not value or not sample.stack:
            continue
        leaf = names.of(sample.stack[0])[0]
        flat[leaf] = flat.get(leaf, 0) + value
        for name in {name for location in sample.stack for name in names.of(location)}:
            cum[name] = cum.get(name, 0) + value
    return {name: Weight(flat.get(name, 0), value) for name, value in cum.items()}


class Attribution(Enum):
    """Which one function of a stack a sample is booked on."""

    LEAF = "leaf"
    """Where it happened: CPU, heap."""
    CALLER = "caller"
    """The first function outside the runtime and the sync packages: who waited, for contention."""
    ENTRY = "entry"
    """The function that the goroutine was started with."""


def attribute(profile: Profile, index: int, attribution: Attribution) -> dict[str, int]:
    """Value per function, each sample booked on one function; the values sum up to the total."""
    names = _Names()
    choose = _CHOOSERS[attribution]
    booked: dict[str, int] = {}
    for sample in profile.samples:
        value = sample.values[index]
        if value:
            name = choose(sample, names) if sample.stack else UNKNOWN
            booked[name] = booked.get(name, 0) + value
    return booked


class _Names:
    """Function names of a location, innermost first, worked out once per location."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, ...]] = {}

    def of(self, location: Location) -> tuple[str, ...]:
        """At least one name: a location without symbols is named after its file."""
        # By identity: locations are unique objects within a profile, and hashing one by value would hash its lines.
        known = self._known.get(id(location))
        if known is None:
            known = tuple(_function_name(line.function) for line in location.lines) or (_unsymbolised(location),)
            self._known[id(location)] = known
        return known


def _function_name(function: Function) -> str:
    return function.name or function.system_name or UNKNOWN


def _unsymbolised(location: Location) -> str:
    if location.mapping is None or not location.mapping.file:
        return UNKNOWN
    base = location.mapping.file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"[{base}]"


def _leaf(sample: Sample, names: _Names) -> str:
    return names.of(sample.stack[0])[0]


def _caller(sample: Sample, names: _Names) -> str:
    frames = (name for location in sample.stack for name in names.of(location))
    return next((name for name in frames if not is_plumbing(name)), _leaf(sample, names))


def _entry(sample: Sample, names: _Names) -> str:
    frames = (name for location in reversed(sample.stack) for name in reversed(names.of(location)))
    return entry_name(next((name for name in frames if name != "runtime.goexit"), _leaf(sample, names)))


_CHOOSERS: dict[Attribution, Callable[[Sample, _Names], str]] = {
    Attribution.LEAF: _leaf,
    Attribution.CALLER: _caller,
    Attribution.ENTRY: _entry,
}
