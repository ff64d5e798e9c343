"""What belongs to a whole profile."""

from __future__ import annotations

from typing import NamedTuple

from pprof_exporter.profile.model import ValueType
from pprof_exporter.profile.reader.names import text_of
from pprof_exporter.profile.remembered import remember_small


class Header(NamedTuple):
    """The fields of a profile besides its tables; times in nanoseconds, 0 if the message has none."""

    sample_types: tuple[ValueType, ...]
    time_nanos: int
    duration_nanos: int
    period_type: ValueType
    period: int
    default_sample_type: str
    comments: tuple[str, ...]


@remember_small(lambda kind, unit: len(kind) + len(unit), largest=128, most=256)
def value_type(kind: bytes, unit: bytes) -> ValueType:
    """A type and its unit, each of which a fleet has a dozen of."""
    return ValueType(text_of(kind), text_of(unit))
