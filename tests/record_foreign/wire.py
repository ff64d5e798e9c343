"""The wire format of protobuf, as far as profile.proto uses it."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, LENGTH = 0, 2


def fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, wire type and content of each field; the content of a number is empty."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        value, position = _varint(message, position)
        if tag & 7 == LENGTH:
            yield tag >> 3, LENGTH, message[position : position + value]
            position += value
        elif tag & 7 == VARINT:
            yield tag >> 3, VARINT, b""
        else:
            raise ValueError(f"wire type {tag & 7} of field {tag >> 3}")


def field(message: bytes, number: int) -> bytes:
    """The content of the first field of that number."""
    return next(content for found, _, content in fields(message) if found == number)


def varint(number: int) -> bytes:
    """The number as protobuf writes it."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
