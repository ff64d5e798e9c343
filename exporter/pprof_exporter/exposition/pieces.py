"""Texts that are compressed apart, and put together to one gzip stream without being compressed again.

Deflate (RFC 1951) lets streams be joined where they end on a whole byte and refer to nothing before their beginning,
which `Z_FULL_FLUSH` sees to. The checksum of the whole, which gzip (RFC 1952) wants at its end, follows from those of
the parts as in zlib's `crc32_combine`: polynomials over GF(2), bits reversed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

# 1, 2 and 3 take about the same time, a fifth of what the default takes, and the last makes the least bytes.
_LEVEL = 3
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31


@dataclass(frozen=True, slots=True)
class Piece:
    """One text: deflated, its checksum, its size in bytes, and what that size does to a checksum before it."""

    deflated: bytes
    crc: int
    size: int
    shift: int


class Press:
    """Makes pieces, one after the other; it takes too much memory to be made for each."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def piece(self, text: bytes) -> Piece:
        """A piece of this text. Needs no event loop: any thread may run it."""
        deflated = self._stream.compress(text) + self._stream.flush(zlib.Z_FULL_FLUSH)
        return Piece(deflated, zlib.crc32(text), len(text), _shift(len(text)))


def gzipped(pieces: Iterable[Piece]) -> bytes:
    """One gzip stream of one member, of all texts in their order."""
    parts, crc, size = [_HEADER], 0, 0
    for piece in pieces:
        parts.append(piece.deflated)
        crc = _times(piece.shift, crc) ^ piece.crc
        size += piece.size
    return b"".join([*parts, _END, struct.pack("<II", crc, size & 0xFFFFFFFF)])


def inflated(pieces: Iterable[Piece]) -> bytes:
    """All texts in their order."""
    return zlib.decompress(b"".join([*(piece.deflated for piece in pieces), _END]), -zlib.MAX_WBITS)


def _times(a: int, b: int) -> int:
    """The product of two polynomials, modulo that of the checksum."""
    product, power = 0, _ONE
    while a and b:
        if a & power:
            product ^= b
            a ^= power
        power >>= 1
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return product


def _powers() -> tuple[int, ...]:
    """The powers 8, 16, 32 and so on of x: what 1, 2, 4, ... bytes do to a checksum before them."""
    powers = [1 << 23]
    for _ in range(39):
        powers.append(_times(powers[-1], powers[-1]))
    return tuple(powers)


_POWERS = _powers()


def _shift(size: int) -> int:
    shift = _ONE
    for power in _POWERS:
        if size & 1:
            shift = _times(power, shift)
        size >>= 1
    return shift
