"""Sums over the samples of a profile, of the sample type at an index. The compiled `_sums.pyx` gives the same.

Sums wrap at 64 bits, as in Go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pprof_exporter.profile.function_names.traits import ROLE_SHIFT, Role, Trait
from pprof_exporter.profile.reader.columns import Columns
from pprof_exporter.profile.reader.names import UNKNOWN_FUNCTION
from pprof_exporter.profile.reader.wire import to_signed

BEGINNING = 8
"""Frames that show the state of a goroutine."""


def every_total(columns: Columns) -> tuple[int, ...]:
    """The sum of all samples, for each sample type."""
    values, width = columns.sample_table.values, columns.width
    return tuple(to_signed(sum(values[index::width])) for index in range(width))


def weights(columns: Columns, index: int) -> dict[str, tuple[int, int]]:
    """Value of the samples with a function as the leaf, and anywhere on the stack, by function; no function without."""
    flat, cum = [0] * len(columns.names), [0] * len(columns.names)
    for value, stack in _stacks(columns, index):
        if value and stack:
            flat[stack[0]] += value
            for name in set(stack):
                cum[name] += value
    sums = zip(columns.names, map(to_signed, flat), map(to_signed, cum), strict=True)
    return {text: (leaf, anywhere) for text, leaf, anywhere in sums if leaf or anywhere}


def chosen(columns: Columns, index: int, without: int, from_root: bool) -> dict[str, int]:  # noqa: FBT001
    """Value by function, each sample on one: the first from the leaf or the root that has none of the traits.

    If all have one, that is the leaf. What has no stack is under `UNKNOWN_FUNCTION`. No function without a value.
    """
    traits = columns.name_table.traits
    sums = [0] * len(columns.names)
    stackless = 0
    for value, stack in _stacks(columns, index):
        if stack:
            ordered = reversed(stack) if from_root else stack
            sums[next((name for name in ordered if not traits[name] & without), stack[0])] += value
        else:
            stackless += value
    found = {text: total for text, total in zip(columns.names, map(to_signed, sums), strict=True) if total}
    if to_signed(stackless):
        found[UNKNOWN_FUNCTION] = to_signed(found.get(UNKNOWN_FUNCTION, 0) + stackless)
    return found


def with_leaf(columns: Columns, index: int, traits: int) -> int:
    """Value of the samples whose leaf has one of the traits."""
    known = columns.name_table.traits
    return to_signed(sum(value for value, stack in _stacks(columns, index) if stack and known[stack[0]] & traits))


def with_any(columns: Columns, index: int, traits: int) -> int:
    """Value of the samples with a location that has one of the traits, by itself or by a frame."""
    sample = columns.sample_table
    places = {place for place, known in enumerate(columns.frame_table.traits) if known & traits}
    spans = zip(sample.values[index :: columns.width], sample.begins, sample.ends, strict=True)
    return to_signed(sum(value for value, begin, end in spans if not places.isdisjoint(sample.stacks[begin:end])))


def ends(columns: Columns, index: int, traits: int) -> dict[tuple[str, str], int]:
    """Value by leaf and root, of the samples where either has one of the traits."""
    known, names = columns.name_table.traits, columns.names
    found: dict[tuple[str, str], int] = {}
    for value, stack in _stacks(columns, index):
        if stack and (known[stack[0]] | known[stack[-1]]) & traits:
            key = names[stack[0]], names[stack[-1]]
            found[key] = to_signed(found.get(key, 0) + value)
    return found


def depths(columns: Columns, index: int) -> dict[int, int]:
    """Value by the number of frames, where there is any, and in any case by the greatest number."""
    found: dict[int, int] = {0: 0}
    for value, stack in _stacks(columns, index):
        found[len(stack)] = found.get(len(stack), 0) + value
    deepest = max(found)
    sums = {depth: to_signed(value) for depth, value in found.items()}
    return {depth: value for depth, value in sums.items() if value or depth == deepest}


def beginnings(columns: Columns, index: int) -> dict[int, int]:
    """Value by the roles of the first `BEGINNING` frames with a symbol, without zeros.

    They are one number, with the leaf in its lowest byte: `Role.UNNAMED` if the leaf has no symbol, 0 without frames.
    """
    found: dict[int, int] = {}
    sample = columns.sample_table
    values = sample.values[index :: columns.width]
    for value, begin, end in zip(values, sample.begins, sample.ends, strict=True):
        roles = _beginning(columns, sample.stacks[begin : min(end, begin + BEGINNING)])
        found[roles] = to_signed(found.get(roles, 0) + value)
    return {roles: value for roles, value in found.items() if value}


def _beginning(columns: Columns, places: Sequence[int]) -> int:
    frame, traits = columns.frame_table, columns.name_table.traits
    seen = [place for place in places if not frame.traits[place] & Trait.BLIND.value]
    if places and places[0] not in seen[:1]:
        return Role.UNNAMED.value
    names = [name for place in seen for name in frame.names[frame.begins[place] : frame.ends[place]]]
    return int.from_bytes([traits[name] >> ROLE_SHIFT for name in names[:BEGINNING]], "little")


def _stacks(columns: Columns, index: int) -> Iterator[tuple[int, list[int]]]:
    """Value and names of each sample, leaf first."""
    sample, frame = columns.sample_table, columns.frame_table
    names = [tuple(frame.names[begin:end]) for begin, end in zip(frame.begins, frame.ends, strict=True)]
    values = sample.values[index :: columns.width]
    for value, begin, end in zip(values, sample.begins, sample.ends, strict=True):
        yield value, [name for place in sample.stacks[begin:end] for name in names[place]]
