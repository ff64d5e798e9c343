"""Small executables of each format, with a blob of build information in their data."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

MAGIC = b"\xff Go buildinf:"
MODULES = "path\texample.com/shop/cmd/shop\nmod\texample.com/shop\tv1.2.3\th1:sum=\ndep\texample.com/a\tv0.1.0\th1:x=\n"
BASE = 0x400000
DATA = 0x1000
"""Where the data is in the file; in memory it is at BASE + DATA."""

Order = Literal["<", ">"]
Maker = Callable[[bytes], bytes]


def framed(modules: str = MODULES) -> bytes:
    """Modules as cmd/go writes them, between two strings of 16 bytes."""
    return (
        b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6"
        + modules.encode()
        + b"\xf92C1\x86\x18 r\0\x82B\x10A\x16\xd8\xf2"
    )


def varint(number: int) -> bytes:
    """As encoding/binary.PutUvarint."""
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def blob(version: str = "go1.27.3", modules: bytes | None = None) -> bytes:
    """The format since Go 1.18: strings with their lengths after the header."""
    text = framed() if modules is None else modules
    strings = b"".join(varint(len(part)) + part for part in (version.encode(), text))
    return MAGIC + b"\x08\x02" + bytes(16) + strings


def blob_of_pointers(address: int, version: str = "go1.17.13", *, size: int = 8, order: Order = "<") -> bytes:
    """The format up to Go 1.17: pointers to the headers of two strings. `address` is that of the blob itself."""
    number = "Q" if size == 8 else "I"
    strings_at = address + 32 + 4 * size
    first, second = version.encode(), framed()
    return (
        (
            MAGIC
            + bytes([size, order == ">"])
            + struct.pack(f"{order}2{number}", address + 32, address + 32 + 2 * size)
        ).ljust(32, b"\0")
        + struct.pack(f"{order}4{number}", strings_at, len(first), strings_at + len(first), len(second))
        + first
        + second
    )


def elf(data: bytes, *, wide: bool = True, order: Order = "<", sections: bool = True) -> bytes:
    """A file with one read-only and one writable segment, and perhaps a section of its own for the data."""
    names = b"\0.shstrtab\0.go.buildinfo\0"
    header, segment, section = (64, 56, 64) if wide else (52, 32, 40)
    names_at, table_at = header + 2 * segment, header + 2 * segment + len(names)
    rows = [(0, 0, 0), (1, 0, len(names)), (11, BASE + DATA, len(data))] if sections else []
    offsets = [0, names_at, DATA]
    file = b"\x7fELF" + bytes([1 + wide, 1 + (order == ">"), 1]) + bytes(9)
    file += struct.pack(
        order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"),
        2, 62, 1, 0, header, table_at if sections else 0, 0, header, segment, 2, section, len(rows), 1 if rows else 0,
    )  # fmt: skip
    for flags, at, size in ((5, 0, DATA), (6, DATA, len(data))):
        if wide:
            file += struct.pack(order + "IIQQQQQQ", 1, flags, at, BASE + at, 0, size, size, 4096)
        else:
            file += struct.pack(order + "IIIIIIII", 1, at, BASE + at, 0, size, size, flags, 4096)
    file += names
    for (name, address, size), at in zip(rows, offsets, strict=False):
        file += struct.pack(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"), name, 1, 0, address, at, size, 0, 0, 0, 0)
    return file.ljust(DATA, b"\0") + data


def pe(data: bytes, *, wide: bool = True) -> bytes:
    """A file with a section of code and one of data, as Go's linker writes them."""
    optional = struct.pack("<H22xQ", 0x20B, BASE) if wide else struct.pack("<H26xI", 0x10B, BASE)
    optional = optional.ljust(240 if wide else 224, b"\0")
    file = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    file = file.ljust(0x80, b"\0") + b"PE\0\0" + struct.pack("<HH12xHH", 0x8664, 2, len(optional), 0x222) + optional
    for name, address, size, at, kind in (
        (b".text", 0x800, 16, 0x800, 0x60000020),
        (b".data", DATA, len(data), DATA, 0xC0000040),
    ):
        file += struct.pack("<8sIIII12xI", name, size, address, size, at, kind)
    return file.ljust(DATA, b"\0") + data


def mach_o(data: bytes, *, wide: bool = True, order: Order = "<") -> bytes:
    """A file with an empty first segment, and one with the section of Go's linker."""
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    number, kind = ("Q", 0x19) if wide else ("I", 0x1)
    section = struct.pack(
        f"{order}16s16s2{number}", b"__go_buildinfo", b"__DATA", BASE + DATA, len(data)
    ) + bytes(32 if wide else 28)  # fmt: skip
    commands = b""
    for name, address, at, size, rows in (
        (b"__PAGEZERO", 0, 0, 0, b""),
        (b"__DATA", BASE + DATA, DATA, len(data), section),
    ):
        body = struct.pack(f"{order}16s4{number}", name, address, size, at, size)
        body += struct.pack(f"{order}IIII", 3, 3, 1 if rows else 0, 0) + rows
        commands += struct.pack(f"{order}II", kind, len(body) + 8) + body
    head = struct.pack(f"{order}IIIIIII", magic, 0x1000007, 3, 2, 2, len(commands), 0) + bytes(4 if wide else 0)
    return (head + commands).ljust(DATA, b"\0") + data
