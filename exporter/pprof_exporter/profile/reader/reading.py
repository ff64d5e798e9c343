"""Reads a message into columns. This is what the compiled `_reading.pyx` does too, and what says why one is refused.

Validity is that of google/pprof (profile/encode.go postDecode, profile/profile.go CheckValid, as vendored in Go 1.27);
what differs is listed in `differences.py`. The steps have an order, so that both readers find the same fault first.
"""

from __future__ import annotations

from array import array
from functools import reduce
from itertools import chain
from operator import or_

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.function_names.traits import Trait, traits_of
from pprof_exporter.profile.model import ValueType
from pprof_exporter.profile.reader.bounds import most_text, too_much_text
from pprof_exporter.profile.reader.columns import Columns, FrameColumns, FunctionColumns, NameColumns, SampleColumns
from pprof_exporter.profile.reader.header import Header, value_type
from pprof_exporter.profile.reader.layout import VARINT, WITH_LENGTH, Message, Table
from pprof_exporter.profile.reader.names import NAMES, mapped_files, name_without_symbol
from pprof_exporter.profile.reader.outline import Outline
from pprof_exporter.profile.reader.strings import Strings
from pprof_exporter.profile.reader.wire import fields, numbers_of, packed, to_signed


def read(body: bytes) -> Columns:
    """The columns of a message. Raises `DecodeError` for one that is not valid, or beyond the bounds."""
    return _Reading(body).columns()


class _Reading:
    """One message while it is read."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._outline = Outline(body)
        self._tables = self._outline.tables
        self._strings = Strings(body, self._tables[Table.STRING])
        self._indexes: dict[str, int] = {}
        self._traits = array("i")

    def columns(self) -> Columns:
        """Everything, step by step."""
        mapping_ids, mapped = self._mappings()
        function_ids, functions, has_line = self._functions()
        header = self._header()
        seen, start_lines = self._name(functions, has_line)
        location_ids, frames = self._locations(mapping_ids, mapped, function_ids, functions)
        samples = self._samples(location_ids, len(header.sample_types))
        names = NameColumns(list(self._indexes), self._traits, seen, start_lines)
        return Columns(self._body, header, self._strings, mapped, functions, names, frames, samples)

    def _mappings(self) -> tuple[dict[int, int], tuple[tuple[str, str], ...]]:
        """Indexes by id; file and build id of each."""
        ids: dict[int, int] = {}
        files: list[bytes] = []
        for begin, end in self._tables[Table.MAPPING]:
            identity, _, _, _, file, build_id, *_ = numbers_of(Message.MAPPING, self._body, begin, end)
            _identify(ids, identity, Message.MAPPING)
            self._strings.check(file, build_id)
            files += self._strings.data(file), self._strings.data(build_id)
        return ids, mapped_files(tuple(files))

    def _functions(self) -> tuple[dict[int, int], FunctionColumns, bytearray]:
        """Indexes by id; the functions with their strings in place of names; whether each has a line."""
        ids: dict[int, int] = {}
        names, files = array("i"), array("i")
        is_named, has_line = bytearray(), bytearray()
        strings = self._strings
        for begin, end in self._tables[Table.FUNCTION]:
            identity, name, system_name, file, line = numbers_of(Message.FUNCTION, self._body, begin, end)
            _identify(ids, identity, Message.FUNCTION)
            strings.check(name, system_name, file)
            is_named.append(not strings.is_empty(name))
            has_line.append(line != 0)
            names.append(next((one for one in (name, system_name) if not strings.is_empty(one)), -1))
            files.append(file)
        return ids, FunctionColumns(names, files, is_named), has_line

    def _header(self) -> Header:
        outline, strings = self._outline, self._strings
        types: list[ValueType] = []
        comments: list[str] = []
        # In the order of the message, as the compiled reader meets them.
        entries = [
            (begin, end, table) for table in (Table.SAMPLE_TYPE, Table.COMMENT) for begin, end in self._tables[table]
        ]
        for begin, end, table in sorted(entries):
            if table is Table.SAMPLE_TYPE:
                types.append(self._value_type(begin, end))
                continue
            for index in packed(self._body, begin, end):
                strings.check(index)
                comments.append(strings.text(index))
        if not types:
            raise DecodeError(Reason.INVALID, "no sample types")
        *_, latest = chain(((0, 0),), self._tables[Table.PERIOD_TYPE])
        period_type = self._value_type(*latest)
        for field in (_DEFAULT_SAMPLE_TYPE, _DROP_FRAMES, _KEEP_FRAMES, _DOC_URL):
            strings.check(outline.values[field])
        return Header(
            tuple(types),
            outline.number(_TIME_NANOS),
            outline.number(_DURATION_NANOS),
            period_type,
            outline.number(_PERIOD),
            strings.text(outline.values[_DEFAULT_SAMPLE_TYPE]),
            tuple(comments),
        )

    def _value_type(self, begin: int, end: int) -> ValueType:
        kind, unit = numbers_of(Message.VALUE_TYPE, self._body, begin, end)
        self._strings.check(kind, unit)
        return value_type(self._strings.data(kind), self._strings.data(unit))

    def _name(self, functions: FunctionColumns, has_line: bytearray) -> tuple[int, bool]:
        """Replace the strings of functions by names; all traits, and whether the runtime has start lines."""
        seen = memory = 0
        limit = most_text(len(self._body))
        start_lines = False
        for i, string in enumerate(functions.names):
            if string < 0:
                continue
            data = self._strings.data(string)
            text, traits = NAMES.known.get(data) or NAMES.learn(data)
            if text not in self._indexes and len(text) != len(data):
                memory += text.__sizeof__()
                if memory > limit:
                    raise too_much_text(len(self._body))
            functions.names[i] = name = self._index_of(text, traits)
            if functions.is_named[i]:
                seen |= self._traits[name]
                start_lines = start_lines or bool(has_line[i] and self._traits[name] & Trait.RUNTIME)
        return seen, start_lines

    def _index_of(self, text: str, traits: int) -> int:
        """The name with a text, perhaps a new one."""
        name = self._indexes.get(text)
        if name is None:
            name = self._indexes[text] = len(self._traits)
            self._traits.append(traits)
        return name

    def _locations(
        self,
        mapping_ids: dict[int, int],
        mapped: tuple[tuple[str, str], ...],
        function_ids: dict[int, int],
        functions: FunctionColumns,
    ) -> tuple[dict[int, int], FrameColumns]:
        ids: dict[int, int] = {}
        names, begins, ends, traits = array("i"), array("i"), array("i"), array("i")
        inlined = 0

        def unnamed(mapping_id: int) -> int:
            file = mapped[mapping_ids[mapping_id]][0] if mapping_id in mapping_ids else ""
            text = name_without_symbol(file)
            return self._index_of(text, traits_of(text))

        for begin, end in self._tables[Table.LOCATION]:
            identity = mapping_id = 0
            lines: list[int] = []
            for tag, value, first, last in fields(Message.LOCATION, self._body, begin, end):
                if tag == _LINE:
                    lines.append(self._line(function_ids, first, last))
                elif tag == _LOCATION_ID:
                    identity = value
                elif tag == _MAPPING_ID:
                    mapping_id = value
            _identify(ids, identity, Message.LOCATION)
            begins.append(len(names))
            for line in lines:
                name = functions.names[line]
                names.append(unnamed(mapping_id) if name < 0 else name)
            if not lines:
                names.append(unnamed(mapping_id))
            ends.append(len(names))
            blind = not any(functions.is_named[line] for line in lines)
            traits.append(reduce(or_, map(self._traits.__getitem__, names[begins[-1] :]), blind * Trait.BLIND.value))
            inlined += len(lines) > 1
        return ids, FrameColumns(names, begins, ends, traits, inlined)

    def _line(self, function_ids: dict[int, int], begin: int, end: int) -> int:
        """The function of a line."""
        identity = 0
        for tag, value, _, _ in fields(Message.LINE, self._body, begin, end):
            if tag == _FUNCTION_ID:
                identity = value
        if identity not in function_ids:
            raise DecodeError(Reason.INVALID, f"a line refers to function {identity}, which does not exist")
        return function_ids[identity]

    def _samples(self, location_ids: dict[int, int], width: int) -> SampleColumns:
        body = self._body
        values, stacks, begins, ends = array("q"), array("i"), array("i"), array("i")
        find = location_ids.__getitem__
        filled = 0
        for begin, end in self._tables[Table.SAMPLE]:
            begins.append(len(stacks))
            filled += width
            for tag, value, first, last in fields(Message.SAMPLE, body, begin, end):
                try:
                    if tag == _STACK:
                        stacks.extend(map(find, packed(body, first, last)))
                    elif tag == _ONE_OF_STACK:
                        stacks.append(find(value))
                    elif tag == _LABEL:
                        self._label(first, last)
                    else:
                        numbers = packed(body, first, last)
                        if len(values) + len(numbers) > filled:
                            raise _wrong_width(width)
                        values.extend(map(to_signed, numbers))
                except KeyError as missing:
                    said = f"a sample refers to location {missing}, which does not exist"
                    raise DecodeError(Reason.INVALID, said) from None
            ends.append(len(stacks))
            if len(values) != filled:
                raise _wrong_width(width)
        return SampleColumns(values, stacks, begins, ends)

    def _label(self, begin: int, end: int) -> None:
        key, text, _, unit = numbers_of(Message.LABEL, self._body, begin, end)
        self._strings.check(key, text or unit)


_DROP_FRAMES, _KEEP_FRAMES, _TIME_NANOS, _DURATION_NANOS = 7, 8, 9, 10
_PERIOD, _DEFAULT_SAMPLE_TYPE, _DOC_URL = 12, 14, 15
_LOCATION_ID, _MAPPING_ID = 1 << 3 | VARINT, 2 << 3 | VARINT
_FUNCTION_ID = 1 << 3 | VARINT
_LINE = 4 << 3 | WITH_LENGTH
_ONE_OF_STACK, _STACK, _LABEL = 1 << 3 | VARINT, 1 << 3 | WITH_LENGTH, 3 << 3 | WITH_LENGTH


def _identify(ids: dict[int, int], identity: int, message: Message) -> None:
    """Give an id the next index."""
    if identity == 0:
        raise DecodeError(Reason.INVALID, f"a {message.title} has the reserved id 0")
    if identity in ids:
        raise DecodeError(Reason.INVALID, f"two {message.title}s have the same id")
    ids[identity] = len(ids)


def _wrong_width(width: int) -> DecodeError:
    return DecodeError(Reason.INVALID, f"a sample has another number of values than the {width} sample types")
