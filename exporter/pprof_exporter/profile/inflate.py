"""Undo gzip within a bound, so that a bomb costs no more memory than the limit."""

from __future__ import annotations

import zlib

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

GZIP_MAGIC = b"\x1f\x8b"

# Go writes the profile as gzip; a compressing middleware may add a second layer as Content-Encoding.
_LAYERS = 2

# At the end of a member zlib copies what was given to it beyond: all the rest at once, member by member, would take
# quadratic time.
_STEP = 16 * 1024


def inflate(data: bytes, limit: int) -> bytes:
    """Bytes without their gzip layers; what is not gzip is returned as it is.

    Raises `DecodeError` with reason gzip, truncated, or too_large when more than `limit` bytes would come out.
    """
    for _ in range(_LAYERS):
        if not data.startswith(GZIP_MAGIC):
            break
        data = _gunzip(data, limit)
    if len(data) > limit:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, more than the limit of {limit}")
    return data


def _gunzip(data: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    room = limit + 1
    view = memoryview(data)
    stream = zlib.decompressobj(wbits=31)
    while view:
        # A gzip file may have several members, one after the other (RFC 1952, 2.2).
        if stream.eof:
            stream = zlib.decompressobj(wbits=31)
        step = view[:_STEP]
        try:
            piece = stream.decompress(step, room)
        except zlib.error as error:
            raise DecodeError(Reason.GZIP, str(error)) from error
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            raise DecodeError(Reason.TOO_LARGE, f"inflates to more than the limit of {limit} bytes")
        view = view[len(step) - len(stream.unused_data) :]
    if not stream.eof:
        raise DecodeError(Reason.TRUNCATED, f"the gzip stream of {len(data)} bytes has no end")
    return b"".join(pieces)
