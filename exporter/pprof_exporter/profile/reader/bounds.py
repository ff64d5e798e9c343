"""Bounds on what the bytes of a message become: a small message can have millions of entries, and each costs memory.

Both readers count the same things in the same order, so that they refuse the same messages with the same words.
"""

from __future__ import annotations

from typing import NamedTuple

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

MAX_ENTRIES = 300_000
"""Entries of all tables. A CPU profile of 30 seconds on 64 processors has at most 192,000 samples."""
MAX_NUMBERS = 1_500_000
"""Numbers of all entries: 40,000 samples with stacks of 35 frames have as many, three times those of large programs."""
MAX_ENTRY_BYTES = 5 * 1024 * 1024
"""Bytes of all entries but strings: three and a half for each number. Those of large programs have one to two."""
MAX_STRING = 64 * 1024
"""Bytes of one string. The names that the Go linker writes have a few hundred, and kilobytes with generic types."""
MAX_MESSAGE = 2**31 - 1
"""Bytes of a message: places within it are numbers of 32 bits."""

_SLACK = 1024 * 1024
_TIMES = 6

# Bytes of memory that one entry costs at most, in either reader. What a function costs is mostly its name in Python.
_SAMPLE = 12
_VALUE = 8
_NUMBER = 4
_TYPE = 200
_MAPPING = 200
_LOCATION = 150
_FUNCTION = 350
_STRING = 12
_COMMENT = 100


class Counts(NamedTuple):
    """What a message has. Numbers are counted by the bytes below 128 in the entries: each number ends with one."""

    types: int
    samples: int
    mappings: int
    locations: int
    functions: int
    strings: int
    comments: int
    sample_numbers: int
    location_numbers: int
    numbers: int
    entry_bytes: int
    longest_string: int


def too_many_entries() -> DecodeError:
    """The error for a message with more than `MAX_ENTRIES` entries."""
    return _too_large(f"more than {MAX_ENTRIES} entries")


def check_bounds(counts: Counts, size: int) -> None:
    """Raise `DecodeError` if a message of `size` bytes has too many numbers, or would cost too much memory."""
    if counts.numbers > MAX_NUMBERS:
        raise _too_large(f"{counts.numbers} numbers in its entries, more than the limit of {MAX_NUMBERS}")
    if counts.entry_bytes > MAX_ENTRY_BYTES:
        raise _too_large(f"{counts.entry_bytes} bytes of entries, more than the limit of {MAX_ENTRY_BYTES}")
    if counts.longest_string > MAX_STRING:
        raise _too_large(f"a string of {counts.longest_string} bytes, more than the limit of {MAX_STRING}")
    memory = (
        counts.samples * (_SAMPLE + _VALUE * counts.types)
        + counts.sample_numbers * _NUMBER
        + counts.types * _TYPE
        + counts.mappings * _MAPPING
        + counts.locations * _LOCATION
        + counts.location_numbers * _NUMBER
        + counts.functions * _FUNCTION
        + counts.strings * _STRING
        + counts.comments * _COMMENT
    )
    if memory > _TIMES * size + _SLACK:
        raise _too_large(f"{size} bytes would become {memory}, more than {_TIMES} times their size")


def most_text(size: int) -> int:
    """Bytes that names with other characters than ASCII may take: each byte of such a name takes up to 16."""
    return size + _SLACK


def too_much_text(size: int) -> DecodeError:
    """The error for names that take more than `most_text`."""
    return _too_large(f"the names of {size} bytes would become more than {most_text(size)}")


def check_size(size: int) -> None:
    """Raise `DecodeError` for a message that no limit of bytes kept out."""
    if size > MAX_MESSAGE:
        raise _too_large(f"{size} bytes, more than any reader takes")


def _too_large(detail: str) -> DecodeError:
    return DecodeError(Reason.TOO_LARGE, detail)
