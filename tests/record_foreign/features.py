"""What is unusual about a profile, told from its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.proto import profile_pb2
from tests.record_foreign.wire import VARINT, fields

_SAMPLE = 2


def features(message: bytes) -> list[str]:
    """The names of what a decoder must cope with in this profile."""
    profile = profile_pb2.Profile.FromString(message)
    labels = [label for sample in profile.sample for label in sample.label]
    stacks = [tuple(sample.location_id) for sample in profile.sample]
    facts = {
        "address only locations": any(location.address and not location.line for location in profile.location),
        "comments": bool(profile.comment),
        "duplicate stacks": len(set(stacks)) < len(stacks),
        "empty stacks": () in stacks,
        "inlined lines": any(len(location.line) > 1 for location in profile.location),
        "labels": any(label.str for label in labels),
        "negative values": any(value < 0 for sample in profile.sample for value in sample.value),
        "no mappings": not profile.mapping,
        "no period": not profile.period,
        "no samples": not profile.sample,
        "no time": not profile.time_nanos,
        "not UTF-8": any(not _is_text(string) for string in profile.string_table),
        "numeric labels": any(label.num for label in labels),
        "numeric labels with units": any(label.num_unit for label in labels),
        "scattered fields": _scattered(message),
        "sparse location ids": _sparse(location.id for location in profile.location),
        "unpacked location ids": any(
            field == 1 and wire == VARINT
            for number, _, sample in fields(message)
            if number == _SAMPLE
            for field, wire, _ in fields(sample)
        ),
    }
    return [name for name, holds in facts.items() if holds]


def _is_text(string: bytes) -> bool:
    try:
        string.decode()
    except UnicodeDecodeError:
        return False
    return True


def _sparse(ids: Iterator[int]) -> bool:
    seen = sorted(ids)
    return seen != list(range(1, len(seen) + 1))


def _scattered(message: bytes) -> bool:
    """Whether the elements of some repeated field do not stand together."""
    numbers = [number for number, _, _ in fields(message)]
    runs = [after for before, after in pairwise([0, *numbers]) if before != after]
    return len(runs) > len(set(runs))
