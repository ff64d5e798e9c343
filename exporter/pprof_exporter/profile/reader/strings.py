"""The strings of a message by their index."""

from __future__ import annotations

from array import array

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.reader.names import text_of
from pprof_exporter.profile.reader.outline import Spans
from pprof_exporter.profile.reader.wire import to_signed


class Strings:
    """The string table. Nothing is decoded before it is asked for."""

    __slots__ = ("_begins", "_body", "_count", "_ends")

    def __init__(self, body: bytes, spans: Spans) -> None:
        self._body = body
        self._begins: array[int] = spans.begins
        self._ends: array[int] = spans.ends
        self._count = len(spans)

    def __len__(self) -> int:
        return self._count

    def check(self, *indexes: int) -> None:
        """Raise `DecodeError` if there is no such string."""
        for index in indexes:
            if index >= self._count:
                raise DecodeError(Reason.INVALID, f"string index {to_signed(index)}, but {self._count} strings")

    def is_empty(self, index: int) -> bool:
        """Whether a string has no bytes."""
        return self._begins[index] == self._ends[index]

    def data(self, index: int) -> bytes:
        """The bytes of a string."""
        return self._body[self._begins[index] : self._ends[index]]

    def text(self, index: int) -> str:
        """A string as text."""
        return text_of(self.data(index))
