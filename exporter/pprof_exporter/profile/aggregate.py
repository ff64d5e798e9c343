"""Sums over a profile: totals, weights by function, and the value of stacks with a trait."""

from __future__ import annotations

from typing import NamedTuple

from pprof_exporter.profile.function_names.names import entry_name
from pprof_exporter.profile.function_names.traits import Trait
from pprof_exporter.profile.kinds import Attribution
from pprof_exporter.profile.profile import Profile


class FunctionWeight(NamedTuple):
    """Value of the samples with a function as the leaf (`flat`), or anywhere on the stack (`cum`)."""

    flat: int
    cum: int


def totals(profile: Profile) -> tuple[int, ...]:
    """Sum of the values of all samples, for each sample type. Sums wrap at 64 bits, as in Go."""
    return profile.reader.sums.every_total(profile.columns)


def function_weights(profile: Profile, index: int) -> dict[str, FunctionWeight]:
    """Flat and cumulative value per function name, of the sample type at `index`; without functions that have neither.

    A function counts once for a stack that has it more than once, as in `go tool pprof -top`.
    """
    found = profile.reader.sums.weights(profile.columns, index)
    return dict(zip(found, map(FunctionWeight._make, found.values()), strict=True))


def attribute(profile: Profile, index: int, attribution: Attribution) -> dict[str, int]:
    """Value per function, without zeros. Each sample counts for one function, so that the values sum up to the total.

    A location without symbols counts for a name made of its file, as in the reports of `go tool pprof`.
    """
    sums, columns = profile.reader.sums, profile.columns
    if attribution is Attribution.LEAF:
        return sums.chosen(columns, index, 0, False)
    if attribution is Attribution.CALLER:
        return sums.chosen(columns, index, Trait.PLUMBING.value, False)
    found: dict[str, int] = {}
    for name, value in sums.chosen(columns, index, Trait.GOEXIT.value, True).items():
        entry = entry_name(name)
        found[entry] = found.get(entry, 0) + value
    return found


def value_with_leaf(profile: Profile, index: int, traits: Trait) -> int:
    """Value of the samples whose leaf has one of the traits."""
    return profile.reader.sums.with_leaf(profile.columns, index, traits.value)


def value_with_frame(profile: Profile, index: int, traits: Trait) -> int:
    """Value of the samples with a frame that has one of the traits."""
    return profile.reader.sums.with_any(profile.columns, index, traits.value)


def value_without_symbol(profile: Profile, index: int) -> int:
    """Value of the samples with a location that has no function name."""
    return profile.reader.sums.with_any(profile.columns, index, Trait.BLIND.value)


def value_by_ends(profile: Profile, index: int, traits: Trait) -> dict[tuple[str, str], int]:
    """Value by leaf and root, of the samples where either has one of the traits."""
    return profile.reader.sums.ends(profile.columns, index, traits.value)


def value_by_depth(profile: Profile, index: int) -> dict[int, int]:
    """Value by the number of frames of a stack; a location without symbols is one."""
    return profile.reader.sums.depths(profile.columns, index)


def value_by_beginning(profile: Profile, index: int) -> dict[int, int]:
    """Value by the roles of the first frames of a stack; see `goroutines.py`."""
    return profile.reader.sums.beginnings(profile.columns, index)
