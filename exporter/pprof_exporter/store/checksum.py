"""The checksum of a row, so that a byte that changed on disk is not taken for a figure.

SQLite has none for its pages (https://www.sqlite.org/cksumvfs.html is an extension). It notices damage to its own
structure; a damaged value is a value for it.
"""

from __future__ import annotations

import struct
import zlib

_REAL = struct.Struct("<d")


def checksum(*values: object) -> int:
    """CRC-32 over type, length and content of each value, as SQLite hands them out: the same in every version."""
    crc = 0
    for value in values:
        match value:
            case None:
                kind, data = b"n", b""
            case int():
                kind, data = b"i", str(value).encode()
            case float():
                kind, data = b"r", _REAL.pack(value)
            case str():
                kind, data = b"t", value.encode("utf-8", "surrogatepass")
            case bytes():
                kind, data = b"b", value
            case _:
                raise TypeError(f"SQLite has no {type(value).__name__}")
        crc = zlib.crc32(data, zlib.crc32(b"%b%d:" % (kind, len(data)), crc))
    return crc
