"""What belongs to a whole profile."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pprof_exporter.profile.model import ValueType
from pprof_exporter.profile.reader.names import text_of


class Header(NamedTuple):
    """The fields of a profile besides its tables; times in nanoseconds, 0 if the message has none."""

    sample_types: tuple[ValueType, ...]
    time_nanos: int
    duration_nanos: int
    period_type: ValueType
    period: int
    default_sample_type: str
    comments: tuple[str, ...]


@lru_cache(maxsize=256)
def value_type(kind: bytes, unit: bytes) -> ValueType:
    """A type and its unit, each of which a fleet has a dozen of."""
    return ValueType(text_of(kind), text_of(unit))
