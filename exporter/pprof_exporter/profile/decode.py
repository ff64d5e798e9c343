"""Decodes a profile.proto body into a `Profile`.

Validity follows google/pprof (profile/profile.go CheckValid, profile/encode.go postDecode, as vendored in Go 1.27):
whatever Go's reader accepts is accepted, except for a profile without sample types, and for tags that are invalid in
protobuf.
"""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from collections.abc import Sequence
from operator import attrgetter

from google.protobuf.message import DecodeError as ProtobufDecodeError

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.inflate import inflate
from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Profile, Sample, ValueType
from pprof_exporter.profile.proto import profile_pb2
from pprof_exporter.profile.recognise import reject_other_formats

MAX_INFLATED_BYTES = 64 * 1024 * 1024
_PARTS = attrgetter("location_id", "value", "label")


def decode(data: bytes, *, max_bytes: int = MAX_INFLATED_BYTES) -> Profile:
    """Decode a profile, gzip or plain, of at most `max_bytes` inflated bytes.

    Raises only `DecodeError`, for bytes that are not a valid profile.
    """
    body = inflate(data, max_bytes)
    reject_other_formats(body)
    message = profile_pb2.Profile()
    try:
        message.ParseFromString(body)
    except ProtobufDecodeError as error:
        raise DecodeError(Reason.PROTO, f"not a profile.proto message: {error}") from error
    return _Reader(message).profile(len(body))


class _Strings(dict[int, str]):
    """The string table, decoded on first use."""

    def __init__(self, table: Sequence[bytes]) -> None:
        if table and table[0] != b"":
            raise DecodeError(Reason.INVALID, "the first string of the string table is not empty")
        super().__init__({0: ""})
        self._table = table

    def __missing__(self, index: int) -> str:
        if not 0 < index < len(self._table):
            raise DecodeError(Reason.INVALID, f"string index {index}, but {len(self._table)} strings")
        text = self._table[index].decode("utf-8", "backslashreplace")
        self[index] = text
        return text


class _Reader:
    """One pass over a parsed message, within one call of `decode`."""

    def __init__(self, message: profile_pb2.Profile) -> None:
        self._message = message
        self._strings = _Strings(message.string_table)

    def profile(self, size: int) -> Profile:
        message, strings = self._message, self._strings
        self._follow(message.drop_frames, message.keep_frames, message.doc_url)
        if not message.sample_type:
            raise DecodeError(Reason.INVALID, "no sample types")
        sample_types = tuple(self._value_type(kind) for kind in message.sample_type)
        mappings = self._mappings()
        functions = self._functions()
        locations = self._locations(mappings, functions)
        return Profile(
            sample_types=sample_types,
            samples=self._samples(locations, len(sample_types)),
            locations=locations,
            functions=tuple(functions.values()),
            mappings=tuple(mappings.values()),
            time_nanos=message.time_nanos,
            duration_nanos=message.duration_nanos,
            period_type=self._value_type(message.period_type),
            period=message.period,
            default_sample_type=strings[message.default_sample_type],
            comments=tuple(strings[index] for index in message.comment),
            size=size,
        )

    def _follow(self, *indexes: int) -> None:
        """Reject invalid string indexes of fields that are not used here, as Go's reader does."""
        for index in indexes:
            self._strings[index]

    def _value_type(self, kind: profile_pb2.ValueType) -> ValueType:
        return ValueType(self._strings[kind.type], self._strings[kind.unit])

    def _mappings(self) -> dict[int, Mapping]:
        strings = self._strings
        mappings = {
            entry.id: Mapping(
                file=strings[entry.filename],
                build_id=strings[entry.build_id],
                start=entry.memory_start,
                limit=entry.memory_limit,
                offset=entry.file_offset,
                has_functions=entry.has_functions,
            )
            for entry in self._message.mapping
        }
        _check_ids(mappings, len(self._message.mapping), "mapping")
        return mappings

    def _functions(self) -> dict[int, Function]:
        strings = self._strings
        functions = {
            entry.id: Function(
                name=strings[entry.name],
                system_name=strings[entry.system_name],
                file=strings[entry.filename],
                start_line=entry.start_line,
            )
            for entry in self._message.function
        }
        _check_ids(functions, len(self._message.function), "function")
        return functions

    def _locations(self, mappings: dict[int, Mapping], functions: dict[int, Function]) -> dict[int, Location]:
        locations: dict[int, Location] = {}
        try:
            for entry in self._message.location:
                locations[entry.id] = Location(
                    address=entry.address,
                    mapping=mappings.get(entry.mapping_id),
                    lines=tuple([Line(functions[line.function_id], line.line) for line in entry.line]),
                )
        except KeyError as error:
            raise DecodeError(Reason.INVALID, f"a line refers to function {error}, which does not exist") from error
        _check_ids(locations, len(self._message.location), "location")
        return locations

    def _samples(self, locations: dict[int, Location], width: int) -> tuple[Sample, ...]:
        samples: list[Sample] = []
        used: set[int] = set()
        for ids, numbers, labels in map(_PARTS, self._message.sample):
            # protobuf fills a slice in one call, but iterates with one call per item.
            stack, values = tuple(ids[:]), tuple(numbers[:])
            if len(values) != width:
                raise DecodeError(Reason.INVALID, f"a sample has {len(values)} values for {width} sample types")
            used.update(stack)
            samples.append(Sample(stack, values, self._labels(labels) if labels else ()))
        for missing in used.difference(locations):
            raise DecodeError(Reason.INVALID, f"a sample refers to location {missing}, which does not exist")
        return tuple(samples)

    def _labels(self, entries: Sequence[profile_pb2.Label]) -> tuple[Label, ...]:
        strings = self._strings
        return tuple(
            [
                Label(strings[entry.key], strings[text], 0, "")
                if (text := entry.str)
                else Label(strings[entry.key], "", entry.num, strings[entry.num_unit])
                for entry in entries
            ]
        )


def _check_ids(table: Mapping_[int, object], count: int, what: str) -> None:
    if 0 in table:
        raise DecodeError(Reason.INVALID, f"a {what} has the reserved id 0")
    if len(table) != count:
        raise DecodeError(Reason.INVALID, f"two {what}s have the same id")
