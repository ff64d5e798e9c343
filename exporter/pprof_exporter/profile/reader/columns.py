"""The columns of a profile: its tables as plain numbers, which sums go through without making an object for each.

A *name* is an index into `names`: the functions of a profile by their text, so that two functions of one name are one.
A *frame* is a name on a stack. A location has one frame for each line, innermost first, or one without a symbol.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace

from pprof_exporter.profile.reader.header import Header
from pprof_exporter.profile.reader.strings import Strings


@dataclass(frozen=True, slots=True)
class FunctionColumns:
    """The functions: the name of each, or -1; the string of its file; whether the message names it."""

    names: array[int]
    files: array[int]
    is_named: bytearray


@dataclass(frozen=True, slots=True)
class NameColumns:
    """The names: their texts and their traits. `seen` has all traits of the functions that the message names.

    `start_lines`: whether a function of the runtime among them has the line where it starts.
    """

    texts: list[str]
    traits: array[int]
    seen: int
    start_lines: bool


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """The frames of all locations: the name of each, and where those of a location begin and end.

    `traits`: all traits of a location and of its frames. `inlined`: locations with more than one line.
    """

    names: array[int]
    begins: array[int]
    ends: array[int]
    traits: array[int]
    inlined: int


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """The samples: their values, one after the other, and their stacks of locations, leaf first."""

    values: array[int]
    stacks: array[int]
    begins: array[int]
    ends: array[int]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one message."""

    body: bytes
    header: Header
    string_table: Strings
    mapping_table: tuple[tuple[str, str], ...]
    function_table: FunctionColumns
    name_table: NameColumns
    frame_table: FrameColumns
    sample_table: SampleColumns

    @property
    def width(self) -> int:
        """Values of each sample: the number of sample types."""
        return len(self.header.sample_types)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.sample_table.begins)

    @property
    def locations(self) -> int:
        """The number of locations."""
        return len(self.frame_table.begins)

    @property
    def functions(self) -> int:
        """The number of functions."""
        return len(self.function_table.names)

    @property
    def mappings(self) -> int:
        """The number of mappings."""
        return len(self.mapping_table)

    @property
    def strings(self) -> int:
        """The number of strings."""
        return len(self.string_table)

    @property
    def inlined(self) -> int:
        """Locations with more than one line."""
        return self.frame_table.inlined

    @property
    def names(self) -> list[str]:
        """The text of each name."""
        return self.name_table.texts

    @property
    def traits(self) -> int:
        """All traits of the functions that the message names."""
        return self.name_table.seen

    @property
    def start_lines(self) -> bool:
        """Whether a function of the runtime has the line where it starts."""
        return self.name_table.start_lines

    def mapped_files(self) -> tuple[tuple[str, str], ...]:
        """File and build id of each mapping."""
        return self.mapping_table

    def source_files(self) -> list[str]:
        """The source files of the functions, in order, each once."""
        return [self.string_table.text(index) for index in dict.fromkeys(self.function_table.files)]

    def without_root(self, traits: int) -> tuple[Columns, list[int]]:
        """The columns without the samples whose stack is empty, or whose outermost function has one of the traits.

        All other columns are shared. Returns also the indexes of the samples that are left.
        """
        sample, frame, width = self.sample_table, self.frame_table, self.width
        kept = [
            i
            for i, (begin, end) in enumerate(zip(sample.begins, sample.ends, strict=True))
            if begin != end and not self.name_table.traits[frame.names[frame.ends[sample.stacks[end - 1]] - 1]] & traits
        ]
        fewer = SampleColumns(
            array("q", (sample.values[width * i + j] for i in kept for j in range(width))),
            sample.stacks,
            array("i", (sample.begins[i] for i in kept)),
            array("i", (sample.ends[i] for i in kept)),
        )
        return replace(self, sample_table=fewer), kept
