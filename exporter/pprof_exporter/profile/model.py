r"""The parts of a profile, with every id and string index resolved.

Field meanings are those of profile.proto (google/pprof, proto/profile.proto). Names that are not valid UTF-8 have the
invalid bytes as `\xNN`, so that two different symbols never become equal.
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
