"""Texts that are deflated separately, and joined to one gzip stream without compressing them again.

Deflate (RFC 1951) streams can be joined if they end on a whole byte and refer to nothing before their start;
`Z_FULL_FLUSH` ensures both. The checksum at the end of a gzip stream (RFC 1952) follows from those of the pieces as in
zlib's `crc32_combine`: polynomials over GF(2), bits reversed. A large page has more than a thousand pieces, and is put
together in the event loop, so a product takes one multiplication of integers that have a byte for each coefficient;
`zlib.crc32` reduces it. That is six times as fast as adding up bit by bit.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from pprof_exporter.threads import Threads

# Levels 1, 2 and 3 take about the same time, a fifth of the default's; level 3 gives the smallest output of them.
_LEVEL = 3
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_ALL = 2**32 - 1
_PRODUCT_BYTES = 64
_LOWEST_BITS = int.from_bytes(b"\x01" * _PRODUCT_BYTES, "big")
_DIGITS = int.from_bytes(b"0" * _PRODUCT_BYTES, "big")

PAGE_THREADS = Threads("pages", 2)
"""For texts of a large page: it is answered while all other threads of the exporter are busy with profiles."""


@dataclass(frozen=True, slots=True)
class DeflatedPiece:
    """One deflated text, with its checksum and its size in bytes."""

    deflated: bytes
    crc: int
    size: int
    shift: int
    """The effect of the size on a checksum before it: one byte for each coefficient."""


class Deflater:
    """Deflates texts one after the other. It takes too much memory to create one for each text."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def deflate(self, text: bytes) -> DeflatedPiece:
        """Deflate a text. Needs no event loop: any thread may run it."""
        deflated = self._stream.compress(text) + self._stream.flush(zlib.Z_FULL_FLUSH)
        return DeflatedPiece(deflated, zlib.crc32(text), len(text), _spread(_shift(len(text))))


def gzipped(pieces: Iterable[DeflatedPiece]) -> bytes:
    """All texts in their order, as one gzip stream with one member."""
    parts, crc, size = [_HEADER], 0, 0
    for piece in pieces:
        parts.append(piece.deflated)
        crc = _product(piece.shift, crc) ^ piece.crc
        size += piece.size
    return b"".join([*parts, _END, struct.pack("<II", crc, size & 0xFFFFFFFF)])


def inflated(pieces: Iterable[DeflatedPiece]) -> bytes:
    """All texts in their order."""
    return zlib.decompress(b"".join([*(piece.deflated for piece in pieces), _END]), -zlib.MAX_WBITS)


def _spread(coefficients: int) -> int:
    """The 32 bits as 32 bytes, each 0 or 1."""
    return int.from_bytes(f"{coefficients:032b}".encode(), "big") & _LOWEST_BITS


def _product(shift: int, crc: int) -> int:
    """The checksum shifted. `shift` is spread, and divided by x^32, by which `zlib.crc32` multiplies."""
    # No byte of the product carries into the next: at most 32 pairs of coefficients add up in it.
    digits = (shift * _spread(crc) & _LOWEST_BITS | _DIGITS).to_bytes(_PRODUCT_BYTES, "big")
    message = (int(digits, 2) << 1).to_bytes(8, "little")
    return zlib.crc32(message, _ALL) ^ _ALL


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


def _inverse() -> int:
    """The power -32 of x."""
    inverse = _ONE
    for _ in range(32):
        inverse = ((inverse ^ _POLYNOMIAL) << 1 | 1) & _ALL if inverse & _ONE else inverse << 1
    return inverse


_POWERS = _powers()
_INVERSE = _inverse()


def _shift(size: int) -> int:
    """What `size` bytes do to a checksum before them, divided by x^32."""
    shift = _INVERSE
    for power in _POWERS:
        if size & 1:
            shift = _times(power, shift)
        size >>= 1
    return shift
