"""The first pass over a message: where the entries of its tables are, and the numbers that belong to the whole."""

from __future__ import annotations

from array import array

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.reader.bounds import MAX_ENTRIES, Counts, check_bounds, too_many_entries
from pprof_exporter.profile.reader.layout import Message, Table
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

    def add(self, begin: int, end: int) -> None:
        """Add an entry."""
        self.begins.append(begin)
        self.ends.append(end)
        self.size += end - begin


class Outline:
    """Where everything is in a message that lies within the bounds."""

    def __init__(self, body: bytes) -> None:
        """Find it. Raises `DecodeError`."""
        self.tables: dict[int, Spans] = {table: Spans() for table in Table}
        self.values = dict.fromkeys(Message.PROFILE.wires, 0)
        """The numbers by field, as on the wire; the latest counts."""
        strings = self.tables[Table.STRING]
        longest = 0
        for entry, (field, wire, value, begin, end) in enumerate(fields(body, 0, len(body)), start=1):
            if entry > MAX_ENTRIES:
                raise too_many_entries()
            if not Message.PROFILE.knows(field, wire):
                continue
            spans = self.tables.get(field)
            if spans is None:
                self._keep(field, value)
                continue
            if field != Table.STRING:
                spans.numbers += len(body[begin:end].translate(None, _CONTINUED))
            elif begin != end:
                if not strings:
                    raise DecodeError(Reason.INVALID, "the first string of the string table is not empty")
                longest = max(longest, end - begin)
            spans.add(begin, end)
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
            entry_bytes=sum(spans.size for table, spans in tables.items() if table != Table.STRING),
            longest_string=longest,
        )
