"""The parts of a message as objects, for whoever asks for them: one for each function, location and sample.

The message is one that a reader has found valid, so that nothing is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator

from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Sample
from pprof_exporter.profile.reader.layout import Message, Table
from pprof_exporter.profile.reader.outline import Outline
from pprof_exporter.profile.reader.strings import Strings
from pprof_exporter.profile.reader.wire import fields, numbers_of, packed, to_signed


class Parts:
    """All of them."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._tables = Outline(body).tables
        self._strings = Strings(body, self._tables[Table.STRING])
        self._texts: dict[int, str] = {}
        mappings = dict(map(self._mapping, self._tables[Table.MAPPING]))
        functions = dict(map(self._function, self._tables[Table.FUNCTION]))
        self.mappings = tuple(mappings.values())
        self.functions = tuple(functions.values())
        self.locations = dict(self._location(span, mappings, functions) for span in self._tables[Table.LOCATION])

    def samples(self) -> Iterator[Sample]:
        """The samples, one after the other."""
        for begin, end in self._tables[Table.SAMPLE]:
            stack: list[int] = []
            values: list[int] = []
            labels: list[Label] = []
            for tag, _, first, last in fields(Message.SAMPLE, self._body, begin, end):
                match tag >> 3:
                    case 1:
                        stack.extend(packed(self._body, first, last))
                    case 2:
                        values.extend(map(to_signed, packed(self._body, first, last)))
                    case 3:
                        labels.extend(self._label(first, last))
            yield Sample(tuple(stack), tuple(values), tuple(labels))

    def _text(self, index: int) -> str:
        text = self._texts.get(index)
        if text is None:
            text = self._texts[index] = self._strings.text(index)
        return text

    def _mapping(self, span: tuple[int, int]) -> tuple[int, Mapping]:
        identity, start, limit, offset, file, build_id, has_functions, *_ = numbers_of(
            Message.MAPPING, self._body, *span
        )
        return identity, Mapping(self._text(file), self._text(build_id), start, limit, offset, has_functions != 0)

    def _function(self, span: tuple[int, int]) -> tuple[int, Function]:
        identity, name, system_name, file, line = numbers_of(Message.FUNCTION, self._body, *span)
        return identity, Function(self._text(name), self._text(system_name), self._text(file), to_signed(line))

    def _location(
        self, span: tuple[int, int], mappings: dict[int, Mapping], functions: dict[int, Function]
    ) -> tuple[int, Location]:
        identity = mapping = address = 0
        lines: list[Line] = []
        for tag, value, begin, end in fields(Message.LOCATION, self._body, *span):
            match tag >> 3:
                case 1:
                    identity = value
                case 2:
                    mapping = value
                case 3:
                    address = value
                case 4:
                    function, line, _ = numbers_of(Message.LINE, self._body, begin, end)
                    lines.append(Line(functions[function], to_signed(line)))
        return identity, Location(address, mappings.get(mapping), tuple(lines))

    def _label(self, begin: int, end: int) -> Iterator[Label]:
        """The label, or none where Go's reader has none: without a text, a number and a unit."""
        key, text, number, unit = numbers_of(Message.LABEL, self._body, begin, end)
        if text:
            yield Label(self._text(key), self._text(text), 0, "")
        elif number or unit:
            yield Label(self._text(key), "", to_signed(number), self._text(unit))
