"""A decoded profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pprof_exporter.profile.function_names.traits import Trait

if TYPE_CHECKING:
    from pprof_exporter.profile.model import Function, Location, Mapping, Sample, ValueType
    from pprof_exporter.profile.reader.choice import Reader
    from pprof_exporter.profile.reader.columns import Columns
    from pprof_exporter.profile.reader.parts import Parts

Result = TypeVar("Result")


class Profile:
    """A whole profile. Times are Unix nanoseconds, or 0 if the producer set none.

    Samples, locations, functions and mappings become objects when they are asked for, each time anew for a part of the
    message. Sums do not need them: see `aggregate.py`. Not to be used by two threads at a time.
    """

    __slots__ = (
        "_kept",
        "_mapped",
        "_parts",
        "_samples",
        "columns",
        "comments",
        "default_sample_type",
        "duration_nanos",
        "period",
        "period_type",
        "reader",
        "results",
        "sample_types",
        "time_nanos",
    )

    sample_types: tuple[ValueType, ...]
    time_nanos: int
    duration_nanos: int
    period_type: ValueType
    period: int
    default_sample_type: str
    comments: tuple[str, ...]

    def __init__(self, columns: Columns, reader: Reader, kept: list[int] | None = None) -> None:
        self.columns = columns
        """The tables as numbers, for the sums of `reader`."""
        self.reader = reader
        self.results: dict[object, object] = {}
        """What was found out about this profile; see `once_per_profile`."""
        self._kept = kept
        self._mapped: tuple[tuple[str, str], ...] | None = None
        self._parts: Parts | None = None
        self._samples: tuple[Sample, ...] | None = None
        (
            self.sample_types,
            self.time_nanos,
            self.duration_nanos,
            self.period_type,
            self.period,
            self.default_sample_type,
            self.comments,
        ) = columns.header

    @property
    def size(self) -> int:
        """Bytes of the message, inflated."""
        return len(self.columns.body)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, in the order of the message."""
        if self._samples is None:
            every = tuple(self._all_parts().samples())
            self._samples = every if self._kept is None else tuple([every[i] for i in self._kept])
        return self._samples

    @property
    def locations(self) -> dict[int, Location]:
        """The locations by id."""
        return self._all_parts().locations

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions, in the order of the message."""
        return self._all_parts().functions

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """The mappings, in the order of the message."""
        return self._all_parts().mappings

    @property
    def mapped_files(self) -> tuple[tuple[str, str], ...]:
        """File and build id of each mapping, in the order of the message."""
        if self._mapped is None:
            self._mapped = self.columns.mapped_files()
        return self._mapped

    def index_of(self, sample_type: str) -> int | None:
        """Position of a sample type in `Sample.values`, or None if the profile has no such type."""
        for i, known in enumerate(self.sample_types):
            if known.type == sample_type:
                return i
        return None

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

    def without_root(self, traits: Trait) -> Profile:
        """The profile without the samples that have no stack, or whose outermost function has one of the traits."""
        columns, kept = self.columns.without_root(int(traits))
        return self if columns.samples == self.columns.samples else Profile(columns, self.reader, kept)

    def _all_parts(self) -> Parts:
        if self._parts is None:
            # Sums do without: a server seldom makes an object of a sample.
            from pprof_exporter.profile.reader.parts import Parts  # noqa: PLC0415

            self._parts = Parts(self.columns.body)
        return self._parts


def once_per_profile(find: Callable[[Profile], Result]) -> Callable[[Profile], Result]:
    """A function that finds something out about a profile, and remembers it with the profile."""

    def found(profile: Profile) -> Result:
        try:
            return profile.results[find]  # type: ignore[return-value]  # Only this function writes under its key.
        except KeyError:
            result = profile.results[find] = find(profile)
            return result

    return found
