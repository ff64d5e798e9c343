"""Where the data of an executable file lies: ELF, PE and Mach-O, as far as a search of their data needs it.

The reads are bounded: tables of at most 4096 rows for segments and for sections, and 64 KiB of section names. The file
is never read as a whole. A file that breaks the rules of its format raises `NotExecutable`.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

_MAX_ROWS = 4096
_MAX_NAMES = 1 << 16

_LOAD, _WRITABLE = 1, 2  # p_type PT_LOAD and p_flags PF_W of elf(5).


class NotExecutable(Exception):
    """The file is in none of the formats, or breaks the rules of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the file that is mapped to memory. All in bytes; the size is that in the file."""

    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Executable:
    """An open executable: its mapped parts, and the address and size of the data to search."""

    file: BinaryIO
    parts: tuple[Part, ...]
    data_address: int
    data_size: int

    def read(self, address: int, size: int) -> bytes:
        """Up to `size` bytes from an address on: fewer where the mapped part or the file ends."""
        found = self._part_of(address)
        if found is None:
            return b""
        within = address - found.address
        return _read(self.file, found.offset + within, min(size, found.size - within))

    def left(self, address: int) -> int:
        """Bytes from an address to the end of the mapped part that holds it, or of the file; 0 if no part does."""
        found = self._part_of(address)
        if found is None:
            return 0
        within = address - found.address
        return max(0, min(found.size - within, self.file.seek(0, os.SEEK_END) - found.offset - within))

    def _part_of(self, address: int) -> Part | None:
        return next((part for part in self.parts if part.address <= address < part.address + part.size), None)


def read_executable(file: BinaryIO) -> Executable:
    """Read the tables of an executable, which must be seekable and stay open. Raises `NotExecutable` and `OSError`."""
    head = _read(file, 0, 16)
    if len(head) < 16:
        raise NotExecutable("too short for any format")
    if head[:4] == b"\x7fELF":
        return _elf(file, head)
    if head[:2] == b"MZ":
        return _pe(file)
    if head[:4] in _MACH_O:
        return _mach_o(file, *_MACH_O[head[:4]])
    raise NotExecutable("no ELF, PE or Mach-O")


def _elf(file: BinaryIO, head: bytes) -> Executable:
    """elf(5). Programs that were stripped of their sections have the data in their first writable segment."""
    order = {1: "<", 2: ">"}.get(head[5])
    wide = {1: False, 2: True}.get(head[4])
    if order is None or wide is None:
        raise NotExecutable("ELF of an unknown class or byte order")
    header = _unpack(file, 24, order + ("QQQ6xHHHHH" if wide else "III6xHHHHH"))
    _entry, segments_at, sections_at, segment_size, segments, section_size, sections, names_row = header
    parts: list[Part] = []
    data = (0, 0)
    for row in _rows(file, segments_at, segment_size, segments, order + ("IIQQQQQQ" if wide else "IIIIIIII")):
        if wide:
            kind, flags, offset, address, _, size, _, _ = row
        else:
            kind, offset, address, _, size, _, flags, _ = row
        if kind == _LOAD and size:
            parts.append(Part(address, offset, size))
            if flags & _WRITABLE and not data[1]:
                data = address, size
    # Name, type, flags, address, offset, size and more.
    shape = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    table = _rows(file, sections_at, section_size, sections, shape) if sections_at else []
    if names_row < len(table):
        names = _read(file, table[names_row][4], min(table[names_row][5], _MAX_NAMES))
        for row in table:
            if names[row[0] :].startswith(b".go.buildinfo\0"):
                data = row[3], row[5]
                break
    return Executable(file, tuple(parts), *data)


def _pe(file: BinaryIO) -> Executable:
    """Microsoft's "PE Format". The data is the first section of initialised data that is read and written."""
    (start,) = _unpack(file, 0x3C, "<I")
    signature, sections, optional_size = _unpack(file, start, "<4s2xH12xH2x")
    if signature != b"PE\0\0":
        raise NotExecutable("MZ without PE")
    (magic,) = _unpack(file, start + 24, "<H")
    if magic == 0x20B:
        (base,) = _unpack(file, start + 48, "<Q")
    elif magic == 0x10B:
        (base,) = _unpack(file, start + 52, "<I")
    else:
        raise NotExecutable("PE of an unknown kind")
    parts: list[Part] = []
    data = (0, 0)
    # Virtual size, virtual address, size and offset of raw data, and the characteristics.
    for row in _rows(file, start + 24 + optional_size, 40, sections, "<8xIIII12xI"):
        virtual_size, address, size, offset, characteristics = row
        if size:
            parts.append(Part(base + address, offset, size))
            # Alignment aside: initialised data (0x40) that is read and written (0xC0000000), as debug/buildinfo has it.
            if address and not data[1] and characteristics & ~0x600000 == 0xC0000040:
                data = base + address, virtual_size
    return Executable(file, tuple(parts), *data)


# Byte order, and whether addresses have 64 bits; <mach-o/loader.h>.
_MACH_O = {
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xcf\xfa\xed\xfe": ("<", True),
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xfe\xed\xfa\xcf": (">", True),
}


def _mach_o(file: BinaryIO, order: str, wide: bool) -> Executable:  # noqa: FBT001 - from the table above
    """<mach-o/loader.h>: the segments, and the section `__go_buildinfo`."""
    (commands,) = _unpack(file, 16, order + "I")
    at = 32 if wide else 28
    segment = order + ("16sQQQQ8xI4x" if wide else "16sIIII8xI4x")
    section = order + ("16s16xQQ32x" if wide else "16s16xII28x")
    parts: list[Part] = []
    rows: list[tuple[Any, ...]] = []
    for _ in range(min(commands, _MAX_ROWS)):
        kind, length = _unpack(file, at, order + "II")
        if kind == (0x19 if wide else 0x1):
            name, address, _, offset, size, sections = _unpack(file, at + 8, segment)
            if size and not name.startswith(b"__PAGEZERO\0"):
                parts.append(Part(address, offset, size))
            if len(rows) + sections > _MAX_ROWS:
                raise NotExecutable("too many sections")
            rows += _rows(file, at + 8 + struct.calcsize(segment), struct.calcsize(section), sections, section)
        if length < 8:
            raise NotExecutable("a load command without a length")
        at += length
    data = next((row[1:] for row in rows if row[0].rstrip(b"\0") == b"__go_buildinfo"), (0, 0))
    return Executable(file, tuple(parts), *data)


def _rows(file: BinaryIO, at: int, size: int, count: int, shape: str) -> list[tuple[Any, ...]]:
    """The first rows of a table whose rows have `size` bytes."""
    step = struct.calcsize(shape)
    if count and size < step:
        raise NotExecutable("a table with rows that are too short")
    count = min(count, _MAX_ROWS)
    if size == step:
        table = _read(file, at, step * count)
        if len(table) < step * count:
            raise NotExecutable("the file ends within a table")
        return list(struct.iter_unpack(shape, table))
    return [_unpack(file, at + size * row, shape) for row in range(count)]


def _unpack(file: BinaryIO, at: int, shape: str) -> tuple[Any, ...]:
    size = struct.calcsize(shape)
    data = _read(file, at, size)
    if len(data) < size:
        raise NotExecutable("the file ends within a header")
    return struct.unpack(shape, data)


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    """Up to `size` bytes of the file. A position beyond its end, which `seek` may refuse, has none."""
    end = file.seek(0, os.SEEK_END)
    if at >= end:
        return b""
    file.seek(at)
    return file.read(min(size, end - at))
