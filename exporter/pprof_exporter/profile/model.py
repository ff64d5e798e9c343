r"""A decoded profile: the message with every id and string index resolved.

Field meanings are those of profile.proto in this package. Names that are not valid UTF-8 have the invalid bytes as
`\xNN`, so that two different symbols never become equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class ValueType:
    """Type and unit of a sample value, such as `cpu` in `nanoseconds`."""

    type: str
    unit: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """An address range of the program, and the file behind it."""

    file: str
    build_id: str
    start: int
    limit: int
    offset: int
    has_functions: bool


# Named tuples and not dataclasses from here on: a profile has thousands of each, and they are created much faster.


class Function(NamedTuple):
    """A function by its full name; `system_name` is the mangled one, if there is one."""

    name: str
    system_name: str
    file: str
    start_line: int


class Line(NamedTuple):
    """A function and the source line in it."""

    function: Function
    line: int


class Location(NamedTuple):
    """An address of the program. Several lines are inlined calls, innermost first; none means not symbolised."""

    address: int
    mapping: Mapping | None
    lines: tuple[Line, ...]


class Label(NamedTuple):
    """A key with either a text (`number` is 0) or a number in `unit` (`text` is "")."""

    key: str
    text: str
    number: int
    unit: str


class Sample(NamedTuple):
    """A stack, leaf first, and one value per sample type. The stack can be empty, the values negative (deltas).

    The stack has location ids, as in the message: most readers need few of the locations, or the same ones repeatedly.
    """

    stack: tuple[int, ...]
    values: tuple[int, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile. Locations are by id. Times are Unix nanoseconds, or 0 if the producer set none."""

    sample_types: tuple[ValueType, ...]
    samples: tuple[Sample, ...]
    locations: dict[int, Location]
    functions: tuple[Function, ...]
    mappings: tuple[Mapping, ...]
    time_nanos: int
    duration_nanos: int
    period_type: ValueType
    period: int
    default_sample_type: str
    comments: tuple[str, ...]
    size: int
    """Bytes of the message, inflated."""

    def index_of(self, sample_type: str) -> int | None:
        """Position of a sample type in `Sample.values`, or None if the profile has no such type."""
        return next((i for i, known in enumerate(self.sample_types) if known.type == sample_type), None)

    def stack_of(self, sample: Sample) -> tuple[Location, ...]:
        """The locations of a sample, leaf first."""
        return tuple(map(self.locations.__getitem__, sample.stack))

    def leaf_name(self, sample: Sample) -> str:
        """Name of the innermost function of a sample, or "" without a stack or a symbol."""
        lines = self.locations[sample.stack[0]].lines if sample.stack else ()
        return lines[0].function.name if lines else ""

    def root_name(self, sample: Sample) -> str:
        """Name of the outermost function of a sample, or "" without a stack or a symbol."""
        lines = self.locations[sample.stack[-1]].lines if sample.stack else ()
        return lines[-1].function.name if lines else ""
