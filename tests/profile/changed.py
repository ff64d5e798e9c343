"""Profiles with something changed: written as a message again, and read anew."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field, replace
from typing import Any

from pprof_exporter.profile import Function, Line, Location, Mapping, Profile, Sample, ValueType, decode
from tests.proto.profile_pb2 import Profile as Message

NO_TYPE = ValueType("", "")


@dataclass(slots=True)
class Parts:
    """What a message is made of. Functions and mappings are those of the locations."""

    sample_types: tuple[ValueType, ...]
    samples: tuple[Sample, ...] = ()
    locations: Mapping_[int, Location] = field(default_factory=dict)
    functions: tuple[Function, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    time_nanos: int = 0
    duration_nanos: int = 0
    period_type: ValueType = NO_TYPE
    period: int = 0
    default_sample_type: str = ""

    def profile(self) -> Profile:
        """The profile."""
        return decode(_Writer().message(self).SerializeToString())


def changed(profile: Profile, **changes: Any) -> Profile:
    """The profile with some of its parts replaced, by the names of `Parts`."""
    return replace(parts_of(profile), **changes).profile()


def parts_of(profile: Profile) -> Parts:
    """Everything that a profile has, as objects."""
    return Parts(
        profile.sample_types,
        profile.samples,
        profile.locations,
        profile.functions,
        profile.mappings,
        profile.time_nanos,
        profile.duration_nanos,
        profile.period_type,
        profile.period,
        profile.default_sample_type,
    )


def called(stack: Iterable[str], first: int = 1) -> dict[int, Location]:
    """A location for each name, from an id on; a name of "" is a place without a symbol."""
    return {
        place: Location(0, None, (Line(Function(name, name, "", 0), 1),) if name else ())
        for place, name in enumerate(stack, first)
    }


class _Writer:
    """One message while it is written."""

    def __init__(self) -> None:
        self._message = Message(string_table=[b""])
        self._strings = {b"": 0}
        self._functions: dict[Function, int] = {}
        self._mappings: dict[Mapping, int] = {}

    def message(self, parts: Parts) -> Message:
        message = self._message
        for kind in parts.sample_types:
            message.sample_type.add(type=self._string(kind.type), unit=self._string(kind.unit))
        for mapping in parts.mappings:
            self._mapping(mapping)
        for function in parts.functions:
            self._function(function)
        for identity, location in parts.locations.items():
            mapped = self._mapping(location.mapping) if location.mapping else 0
            place = message.location.add(id=identity, address=location.address, mapping_id=mapped)
            for line in location.lines:
                place.line.add(function_id=self._function(line.function), line=line.line)
        for sample in parts.samples:
            self._sample(sample)
        message.time_nanos, message.duration_nanos = parts.time_nanos, parts.duration_nanos
        message.period_type.type = self._string(parts.period_type.type)
        message.period_type.unit = self._string(parts.period_type.unit)
        message.period = parts.period
        message.default_sample_type = self._string(parts.default_sample_type)
        return message

    def _string(self, text: str) -> int:
        data = text.encode()
        if data not in self._strings:
            self._strings[data] = len(self._strings)
            self._message.string_table.append(data)
        return self._strings[data]

    def _mapping(self, mapping: Mapping) -> int:
        if mapping not in self._mappings:
            self._mappings[mapping] = identity = len(self._mappings) + 1
            self._message.mapping.add(
                id=identity,
                filename=self._string(mapping.file),
                build_id=self._string(mapping.build_id),
                memory_start=mapping.start,
                memory_limit=mapping.limit,
                file_offset=mapping.offset,
                has_functions=mapping.has_functions,
            )
        return self._mappings[mapping]

    def _function(self, function: Function) -> int:
        if function not in self._functions:
            self._functions[function] = identity = len(self._functions) + 1
            self._message.function.add(
                id=identity,
                name=self._string(function.name),
                system_name=self._string(function.system_name),
                filename=self._string(function.file),
                start_line=function.start_line,
            )
        return self._functions[function]

    def _sample(self, sample: Sample) -> None:
        written = self._message.sample.add(location_id=sample.stack, value=sample.values)
        for label in sample.labels:
            written.label.add(
                key=self._string(label.key),
                str=self._string(label.text),
                num=label.number,
                num_unit=self._string(label.unit),
            )
