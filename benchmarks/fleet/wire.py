"""Writes profiles in pprof's format as Go does: lists of more than two packed, at the fastest level of gzip.

As in runtime/pprof/proto.go and protobuf.go, Go 1.16 to 1.27. Field numbers are those of google/pprof's profile.proto.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING = 1, 2, 3, 4, 5, 6
TIME_NANOS, DURATION_NANOS, PERIOD_TYPE, PERIOD, DEFAULT_SAMPLE_TYPE = 9, 10, 11, 12, 14
# The runtime writes with gzip.BestSpeed.
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
# Go packs only lists that are longer.
_UNPACKED = 2

ValueType = tuple[str, str]
"""Type and unit."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the program."""

    name: str
    file: str
    start_line: int


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the program: lines as index of a function and line, the innermost inlined call first."""

    address: int
    lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One stack, the innermost location first, as indices of locations."""

    stack: tuple[int, ...]
    values: tuple[int, ...]
    bytes_label: int = 0
    """Size of the objects of a heap sample; 0: no label."""


@dataclass(frozen=True, slots=True)
class Binary:
    """The program: its only mapping, and all its functions and locations."""

    path: str
    build_id: str
    start: int
    limit: int
    functions: list[Function] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)


# Go on Linux lists it besides the program.
VDSO = Binary("[vdso]", "", 0x7FFD2D9E0000, 0x7FFD2D9E2000)


@dataclass(frozen=True, slots=True)
class Header:
    """What a profile says besides its samples; times in nanoseconds."""

    sample_types: tuple[ValueType, ...]
    period_type: ValueType
    period: int
    time: int
    duration: int = 0
    default_sample_type: str = ""


class _Message:
    """The bytes of one message."""

    def __init__(self) -> None:
        self.data = bytearray()

    def number(self, tag: int, value: int) -> None:
        """A whole number; 0 is left out, as Go does."""
        if value:
            self.data += varint(tag << 3) + varint(value)

    def numbers(self, tag: int, values: Sequence[int]) -> None:
        """A list of whole numbers."""
        if len(values) > _UNPACKED:
            self.bytes(tag, b"".join(map(varint, values)))
        else:
            for value in values:
                self.data += varint(tag << 3) + varint(value)

    def bytes(self, tag: int, value: bytes | bytearray) -> None:
        """A string or a message."""
        self.data += varint(tag << 3 | 2) + varint(len(value))
        self.data += value


class _Strings:
    """The table of strings."""

    def __init__(self) -> None:
        self._index = {"": 0}

    def __getitem__(self, text: str) -> int:
        return self._index.setdefault(text, len(self._index))

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)


def varint(value: int) -> bytes:
    """A number in groups of seven bits; a negative one as 64 bits."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def profile(binary: Binary, header: Header, samples: Iterable[Sample]) -> bytes:
    """A gzipped profile of these samples, with the locations and functions that they use."""
    strings = _Strings()
    message = _Message()
    for value_type in header.sample_types:
        message.bytes(SAMPLE_TYPE, _value_type(strings, value_type))
    message.number(TIME_NANOS, header.time)
    message.number(DURATION_NANOS, header.duration)
    message.bytes(PERIOD_TYPE, _value_type(strings, header.period_type))
    message.number(PERIOD, header.period)
    message.number(DEFAULT_SAMPLE_TYPE, strings[header.default_sample_type])
    message.bytes(MAPPING, _mapping(strings, 1, binary))
    message.bytes(MAPPING, _mapping(strings, 2, VDSO))
    locations: dict[int, int] = {}
    functions: dict[int, int] = {}
    for sample in samples:
        for place in sample.stack:
            if place not in locations:
                locations[place] = len(locations) + 1
                _add_location(message, strings, binary, (place, locations[place]), functions)
        one = _Message()
        one.numbers(1, [locations[place] for place in sample.stack])
        one.numbers(2, sample.values)
        if sample.bytes_label:
            label = _Message()
            label.number(1, strings["bytes"])
            label.number(3, sample.bytes_label)
            one.bytes(3, label.data)
        message.bytes(SAMPLE, one.data)
    for text in strings:
        message.bytes(STRING, text.encode())
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(message.data) + packer.flush()


def _value_type(strings: _Strings, value_type: ValueType) -> bytearray:
    message = _Message()
    message.number(1, strings[value_type[0]])
    message.number(2, strings[value_type[1]])
    return message.data


def _mapping(strings: _Strings, number: int, binary: Binary) -> bytearray:
    message = _Message()
    has_functions = 1 if binary.functions else 0
    names = (strings[binary.path], strings[binary.build_id])
    for tag, value in enumerate((number, binary.start, binary.limit, 0, *names, has_functions), start=1):
        message.number(tag, value)
    return message.data


def _add_location(
    message: _Message, strings: _Strings, binary: Binary, numbered: tuple[int, int], functions: dict[int, int]
) -> None:
    """Write a location under its number, and the functions of it that were not written yet."""
    location = binary.locations[numbered[0]]
    one, new = _Message(), []
    one.number(1, numbered[1])
    one.number(2, 1)
    one.number(3, location.address)
    for index, line in location.lines:
        if index not in functions:
            functions[index] = len(functions) + 1
            new.append(index)
        entry = _Message()
        entry.number(1, functions[index])
        entry.number(2, line)
        one.bytes(4, entry.data)
    message.bytes(LOCATION, one.data)
    for index in new:
        function, written = binary.functions[index], _Message()
        written.number(1, functions[index])
        written.number(2, strings[function.name])
        written.number(3, strings[function.name])
        written.number(4, strings[function.file])
        written.number(5, function.start_line)
        message.bytes(FUNCTION, written.data)
