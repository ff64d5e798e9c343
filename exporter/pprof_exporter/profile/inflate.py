"""Decompresses gzip as Go does (compress/gzip, Go 1.27), with a size limit: a zip bomb cannot use more memory.

Go checks less than zlib in the header of a member, and more: it takes reserved flags, and refuses a name of 512 bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

GZIP_MAGIC = b"\x1f\x8b"

# Go writes the profile as gzip. A compressing middleware can add a second layer as Content-Encoding.
_LAYERS = 2

# At the end of a member zlib copies the unread rest of its input: with the whole rest as input for each member, that
# would take quadratic time. Most files have one member, which takes no copy.
_STEP = 16 * 1024
# What goes into and comes out of one step of a member that is alone.
_GIVEN = 256 * 1024
_PART = 4 * 1024 * 1024

_DEFLATE = 8
_HEADER = 10
_TRAILER = 8
_HEADER_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_LONGEST_NAME = 511
_DECOMPRESS_RAW = -zlib.MAX_WBITS
_DECOMPRESS_GZIP = 16 + zlib.MAX_WBITS
# What Go writes, without anything optional that zlib and Go read differently.
_PLAIN_HEADER = GZIP_MAGIC + bytes((_DEFLATE, 0))


def inflate(data: bytes, limit: int) -> bytes:
    """The bytes without gzip layers; bytes that are not gzip are returned unchanged.

    Raises `DecodeError` with reason gzip, truncated, or too_large if the result would exceed `limit` bytes.
    """
    for _ in range(_LAYERS):
        if not data.startswith(GZIP_MAGIC):
            break
        data = gunzip(data, limit)
    if len(data) > limit:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, more than the limit of {limit}")
    return data


def declared_size(data: bytes) -> int:
    """The size that gzip says at its end: that of the last member. What is no gzip says anything."""
    return int.from_bytes(data[-4:], "little")


def gunzip(data: bytes, limit: int) -> bytes:
    """The contents of a gzip file, at most `limit` bytes. Raises `DecodeError` as `inflate` does."""
    if data.startswith(_PLAIN_HEADER) and (whole := _only_member(data, limit)) is not None:
        return whole
    pieces = list(_members(data, limit))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _only_member(data: bytes, limit: int) -> bytes | None:
    """The contents of a file with one whole member, of which zlib reads the header as Go does; None for any other."""
    stream = zlib.decompressobj(_DECOMPRESS_GZIP)
    # In parts, since zlib needs twice the memory to inflate all at once. Most profiles have one part.
    kept, piece, given = BytesIO(), b"", b""
    size = at = 0
    while not stream.eof:
        if not given:
            given = data[at : at + _GIVEN]
            at += len(given)
        try:
            piece = stream.decompress(given, min(_PART, limit + 1 - size))
        except zlib.error:
            return None
        if not piece and not given:
            return None
        given = stream.unconsumed_tail
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if size > len(piece) or not stream.eof:
            kept.write(piece)
    if stream.unused_data or at < len(data):
        return None
    return piece if len(piece) == size else kept.getvalue()


def _members(data: bytes, limit: int) -> Iterator[bytes]:
    """The contents, piece by piece. A file can have several members, one after the other (RFC 1952, 2.2)."""
    view = memoryview(data)
    at, room, step = 0, limit + 1, len(data)
    while at < len(data):
        at = _after_header(data, at)
        stream = zlib.decompressobj(_DECOMPRESS_RAW)
        digest = size = 0
        while not stream.eof:
            part = view[at : at + step]
            if not part:
                raise _truncated(data)
            try:
                piece = stream.decompress(part, room)
            except zlib.error as error:
                raise DecodeError(Reason.GZIP, str(error)) from error
            room -= len(piece)
            if room <= 0:
                raise _too_large(limit)
            digest = zlib.crc32(piece, digest)
            size += len(piece)
            at += len(part) - len(stream.unused_data)
            yield piece
        trailer = data[at : at + _TRAILER]
        if len(trailer) < _TRAILER:
            raise _truncated(data)
        if trailer != digest.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"):
            raise DecodeError(Reason.GZIP, "the contents do not have the checksum that is written at their end")
        at += _TRAILER
        step = _STEP


def _after_header(data: bytes, at: int) -> int:
    """Where the contents of a member begin."""
    header = data[at : at + _HEADER]
    if not header.startswith(GZIP_MAGIC[: len(header)]) or header[2:3] not in (b"", bytes((_DEFLATE,))):
        raise DecodeError(Reason.GZIP, f"no member of gzip at byte {at}")
    if len(header) < _HEADER:
        raise _truncated(data)
    begin, flags = at, header[3]
    at += _HEADER
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = data.find(b"\0", at, at + _LONGEST_NAME + 1)
            if end < 0 and len(data) - at > _LONGEST_NAME:
                raise DecodeError(Reason.GZIP, f"a name of more than {_LONGEST_NAME} bytes")
            at = end + 1 if end >= 0 else len(data) + 1
    if flags & _HEADER_CRC:
        if at + 2 <= len(data) and data[at : at + 2] != (zlib.crc32(data[begin:at]) & 0xFFFF).to_bytes(2, "little"):
            raise DecodeError(Reason.GZIP, "the header does not have the checksum that is written at its end")
        at += 2
    if at > len(data):
        raise _truncated(data)
    return at


def _too_large(limit: int) -> DecodeError:
    return DecodeError(Reason.TOO_LARGE, f"inflates to more than the limit of {limit} bytes")


def _truncated(data: bytes) -> DecodeError:
    return DecodeError(Reason.TRUNCATED, f"the gzip stream of {len(data)} bytes has no end")
