"""The fields of profile.proto by message, with the wire types that Go's reader takes them in.

Source: google/pprof, profile/encode.go, as vendored in Go 1.27. Fields that are not listed are skipped.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

VARINT = 0
WITH_LENGTH = 2
_NUMBER = (VARINT,)
_MESSAGE = (WITH_LENGTH,)
_NUMBERS = (VARINT, WITH_LENGTH)


class Message(Enum):
    """A message of profile.proto: its name in sentences, and the wire types of each field, by number."""

    PROFILE = (
        "profile",
        {
            **dict.fromkeys((1, 2, 3, 4, 5, 6, 11), _MESSAGE),
            **dict.fromkeys((7, 8, 9, 10, 12, 14, 15), _NUMBER),
            13: _NUMBERS,
        },
    )
    VALUE_TYPE = ("value type", dict.fromkeys((1, 2), _NUMBER))
    SAMPLE = ("sample", {1: _NUMBERS, 2: _NUMBERS, 3: _MESSAGE})
    LABEL = ("label", dict.fromkeys(range(1, 5), _NUMBER))
    MAPPING = ("mapping", dict.fromkeys(range(1, 11), _NUMBER))
    LOCATION = ("location", {**dict.fromkeys((1, 2, 3, 5), _NUMBER), 4: _MESSAGE})
    LINE = ("line", dict.fromkeys(range(1, 4), _NUMBER))
    FUNCTION = ("function", dict.fromkeys(range(1, 6), _NUMBER))

    def __init__(self, title: str, wires: dict[int, tuple[int, ...]]) -> None:
        self.title = title
        self.numbers = frozenset(wires)
        self.tags = frozenset(number << 3 | wire for number, expected in wires.items() for wire in expected)
        """What stands before each field: its number, and three bits of its wire type."""

    def skip(self, tag: int) -> None:
        """Raise `DecodeError` if an unknown tag has the number of a field that is known."""
        if tag >> 3 in self.numbers:
            raise DecodeError(Reason.PROTO, f"field {tag >> 3} of a {self.title} has wire type {tag & 7}")


class Table(IntEnum):
    """The fields of a profile that have entries of their own."""

    SAMPLE_TYPE = 1
    SAMPLE = 2
    MAPPING = 3
    LOCATION = 4
    FUNCTION = 5
    STRING = 6
    PERIOD_TYPE = 11
    COMMENT = 13
