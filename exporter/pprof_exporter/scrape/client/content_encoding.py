"""Undoes the Content-Encoding of a reply. The exporter asks for none; some servers and proxies compress all the same.

Go's client undoes gzip if it asked for it (net/http/transport.go, 1.27), and so do Prometheus and `go tool pprof`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.inflate import GZIP_MAGIC, gunzip
from pprof_exporter.scrape.client.errors import FetchError

_GZIP = frozenset({"gzip", "x-gzip"})
_DEFLATE = "deflate"
_ANY_HEADER = zlib.MAX_WBITS + 32


def encoding_of(values: Sequence[str]) -> str:
    """The one encoding in the values of Content-Encoding, in lower case; "" for none. Raises `FetchError`."""
    named = [name for name in (part.strip().lower() for part in ",".join(values).split(",")) if name]
    encodings = [name for name in named if name != "identity"]
    if not encodings:
        return ""
    if len(encodings) > 1 or (encodings[0] not in _GZIP and encodings[0] != _DEFLATE):
        # It is the server's word: of any length, and of any characters.
        raise FetchError(Reason.ENCODING, f"Content-Encoding: {', '.join(encodings)[:100]}")
    return encodings[0]


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its encoding, at most `limit` bytes. Raises `FetchError`.

    A body that is not compressed at all is returned as it is: some proxies inflate it and leave the header.
    """
    if not body:
        return body
    try:
        if encoding == _DEFLATE:
            return _inflated(body, limit)
        return gunzip(body, limit) if body.startswith(GZIP_MAGIC) else body
    except DecodeError as error:
        raise FetchError(error.reason, f"Content-Encoding: {encoding}: {error.detail}") from None


def decoded_beginning(body: bytes, values: Sequence[str], size: int) -> bytes:
    """At most `size` bytes of what a body that is cut begins with; the body itself where its encoding is not known."""
    try:
        encoding = encoding_of(values)
    except FetchError:
        return b""
    if not encoding:
        return body
    for bits in (_ANY_HEADER, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(bits).decompress(body, size)
        except zlib.error:
            continue
    return body


def _inflated(body: bytes, limit: int) -> bytes:
    """`deflate` is zlib's format (RFC 9110, section 8.4.1.2), and from some servers the bare stream."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(bits)
        try:
            whole = stream.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(whole) > limit:
            raise DecodeError(Reason.TOO_LARGE, f"inflates to more than the limit of {limit} bytes")
        if not stream.eof:
            raise DecodeError(Reason.TRUNCATED, f"the stream of {len(body)} bytes has no end")
        return whole
    return body
