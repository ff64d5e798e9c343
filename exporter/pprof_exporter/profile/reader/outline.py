"""The first pass over a message: where the entries of its tables are, and the numbers that belong to the whole."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.reader.bounds import MAX_ENTRIES, Counts, check_bounds, too_many_entries
from pprof_exporter.profile.reader.layout import VARINT, WITH_LENGTH, Message, Table
from pprof_exporter.profile.reader.wire import fields, to_signed

_TIME_NANOS = 9
# Every number has one byte below 128, its last.
_CONTINUED = bytes(range(0x80, 0x100))


class Spans:
    """Where the bytes of each entry of a table begin and end."""

    __slots__ = ("begins", "ends", "numbers", "size")

    def __init__(self) -> None:
        self.begins = array("i")
        self.ends = array("i")
        self.numbers = self.size = 0

    def __len__(self) -> int:
        return len(self.begins)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.begins, self.ends, strict=True)


class Outline:
    """Where everything is in a message that lies within the bounds."""

    def __init__(self, body: bytes) -> None:
        """Find it. Raises `DecodeError`."""
        self.tables: dict[int, Spans] = {table: Spans() for table in Table}
        self.values = dict.fromkeys(Message.PROFILE.numbers, 0)
        """The numbers by field, as on the wire; the latest counts."""
        strings = self.tables[Table.STRING]
        tables = {number << 3 | WITH_LENGTH: spans for number, spans in self.tables.items()}
        tables[Table.COMMENT << 3 | VARINT] = self.tables[Table.COMMENT]
        longest = 0
        found = fields(Message.PROFILE, body, 0, len(body), most_unknown=MAX_ENTRIES)
        for entry, (tag, value, begin, end) in enumerate(found, start=1):
            if entry > MAX_ENTRIES:
                raise too_many_entries()
            spans = tables.get(tag)
            if spans is None:
                self._keep(tag >> 3, value)
                continue
            spans.begins.append(begin)
            spans.ends.append(end)
            if spans is not strings:
                spans.size += end - begin
                spans.numbers += len(body[begin:end].translate(None, _CONTINUED))
            elif begin != end:
                if len(strings) == 1:
                    raise DecodeError(Reason.INVALID, "the first string of the string table is not empty")
                longest = max(longest, end - begin)
        if not strings:
            raise DecodeError(Reason.INVALID, "no string table")
        check_bounds(self._counts(longest), len(body))

    def number(self, field: int) -> int:
        """The value of a field of the profile that is an int64."""
        return to_signed(self.values[field])

    def _keep(self, field: int, value: int) -> None:
        if field == _TIME_NANOS and self.values[field]:
            raise DecodeError(Reason.INVALID, "two time stamps: several profiles, one behind the other")
        self.values[field] = value

    def _counts(self, longest: int) -> Counts:
        tables = self.tables
        return Counts(
            types=len(tables[Table.SAMPLE_TYPE]),
            samples=len(tables[Table.SAMPLE]),
            mappings=len(tables[Table.MAPPING]),
            locations=len(tables[Table.LOCATION]),
            functions=len(tables[Table.FUNCTION]),
            strings=len(tables[Table.STRING]),
            comments=tables[Table.COMMENT].numbers,
            sample_numbers=tables[Table.SAMPLE].numbers,
            location_numbers=tables[Table.LOCATION].numbers,
            numbers=sum(spans.numbers for spans in tables.values()),
            entry_bytes=sum(spans.size for spans in tables.values()),
            longest_string=longest,
        )
