"""The wire format of protobuf, exactly as Go's reader of profiles takes it (google/pprof, profile/proto.go)."""

from __future__ import annotations

from collections.abc import Iterator

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.reader.bounds import MAX_NUMBERS, too_many_entries
from pprof_exporter.profile.reader.layout import VARINT, WITH_LENGTH, Message

_FIXED = {1: 8, 5: 4}
_LONGEST = 10
_ALL = 2**64 - 1


def fields(  # noqa: C901, PLR0912 - a call for each field would double the time of the Python reader.
    message: Message, body: bytes, at: int, end: int, *, most_unknown: int = MAX_NUMBERS
) -> Iterator[tuple[int, int, int, int]]:
    """The known fields of a message in a part of the body: tag, value of a varint, and begin and end of the bytes.

    Raises `DecodeError`, for a known field with another wire type too. Up to so many other fields are skipped, even
    number 0, which protobuf does not allow.
    """
    known = message.tags
    skipped = 0
    while at < end:
        tag = body[at]
        at += 1
        if tag >= 0x80:
            tag, at = varint(body, at - 1, end)
        wire = tag & 7
        begin = at
        if wire == VARINT:
            if at < end and (value := body[at]) < 0x80:
                at += 1
            else:
                value, at = varint(body, at, end)
            if tag in known:
                yield tag, value, begin, at
            else:
                message.skip(tag)
                skipped += 1
                if skipped > most_unknown:
                    raise too_many_entries()
            continue
        if wire == WITH_LENGTH:
            if at < end and (length := body[at]) < 0x80:
                at += 1
            else:
                length, at = varint(body, at, end)
        elif wire in _FIXED:
            length = _FIXED[wire]
        else:
            raise DecodeError(Reason.PROTO, f"byte {at - 1}: wire type {wire}, which profiles do not have")
        if length > end - at:
            raise DecodeError(Reason.PROTO, f"byte {at}: a field of {length} bytes, but {end - at} are left")
        if tag in known:
            yield tag, 0, at, at + length
        else:
            message.skip(tag)
            skipped += 1
            if skipped > most_unknown:
                raise too_many_entries()
        at += length


def numbers_of(message: Message, body: bytes, at: int, end: int) -> list[int]:
    """The latest value of each field of a message that has numbers only, field 1 first."""
    found = [0] * len(message.numbers)
    for tag, value, _, _ in fields(message, body, at, end):
        found[(tag >> 3) - 1] = value
    return found


def varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of at most ten bytes, and the place behind it. Bits beyond 64 are lost, as in Go."""
    value = shift = 0
    for place in range(at, min(end, at + _LONGEST)):
        byte = body[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _ALL, place + 1
        shift += 7
    raise DecodeError(Reason.PROTO, f"byte {at}: a number that does not end within {_LONGEST} bytes")


def encoded(value: int) -> bytes:
    """A number that is not negative, as it stands on the wire."""
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def packed(body: bytes, at: int, end: int) -> list[int] | bytes:
    """The numbers of a packed list, or the one of a varint."""
    chunk = body[at:end]
    if chunk.isascii():  # One byte each, and bytes are a list of numbers.
        return chunk
    found: list[int] = []
    value = shift = 0
    for byte in chunk:
        if byte >= 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        elif not shift:
            found.append(byte)
        else:
            if shift >= 7 * _LONGEST:
                break
            found.append((value | byte << shift) & _ALL)
            value = shift = 0
    if shift:
        raise DecodeError(Reason.PROTO, f"a list of numbers from byte {at} on has one without an end")
    return found


def to_signed(value: int) -> int:
    """A number of 64 bits as Go's int64: sums wrap as they do there."""
    return ((value + 2**63) & _ALL) - 2**63
