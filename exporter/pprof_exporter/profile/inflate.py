"""Decompresses gzip with a size limit, so that a zip bomb cannot use more memory."""

from __future__ import annotations

import zlib

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

GZIP_MAGIC = b"\x1f\x8b"

# Go writes the profile as gzip. A compressing middleware can add a second layer as Content-Encoding.
_LAYERS = 2

# At the end of a member zlib copies the unread rest of its input: with the whole rest as input for each member, that
# would take quadratic time.
_STEP = 16 * 1024


def inflate(data: bytes, limit: int) -> bytes:
    """The bytes without gzip layers; bytes that are not gzip are returned unchanged.

    Raises `DecodeError` with reason gzip, truncated, or too_large if the result would exceed `limit` bytes.
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
        # A gzip file can have several members, one after the other (RFC 1952, 2.2).
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
