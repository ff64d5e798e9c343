"""One HTTP/1 reply from the pieces in which it comes, by the rules of Go's client.

Sources: `persistConn.readResponse` (net/http/transport.go), `chunkedReader` (net/http/internal/chunked.go) and
`body.readTrailer` (net/http/transfer.go) of Go 1.27.3.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.reply_head import (
    MAX_HEAD_BYTES,
    Framing,
    HeadTooLarge,
    MalformedReply,
    ReplyHead,
    read_head,
    read_headers,
    reject_other_protocols,
)

_SWITCHING_PROTOCOLS = 101
# `maxLineLength` of chunked.go; a trailer has to fit into the buffer of a bufio.Reader.
_MAX_CHUNK_LINE = 4096
_MAX_TRAILER = 4096
# `chunkedReader.beginChunk`: what extensions of chunks may take beyond 16 bytes a chunk and twice its data.
_MAX_EXCESS = 16 * 1024
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


class CutReply(HttpError):
    """The connection ended before the reply did."""


class MalformedBody(HttpError):
    """The framing of a body is broken."""


class _Part(Enum):
    """What the next byte belongs to."""

    HEAD = "head"
    BODY = "body"
    """A body that is not chunked."""
    SIZE = "size"
    DATA = "data"
    DATA_END = "data end"
    TRAILER = "trailer"
    END = "end"


class ReplyParser:
    """Give `feed` what comes, and `end` the end of the connection. `head` is None until it is whole.

    The pieces in which a reply comes make no difference.
    """

    def __init__(self) -> None:
        self.head: ReplyHead | None = None
        self._part = _Part.HEAD
        self._partial = bytearray()
        """The beginning of a head, line or trailer that is not whole yet."""
        self._head_bytes = 0
        self._left = 0
        """Bytes of the body, or of the chunk, that are to come."""
        self._excess = 0

    @property
    def untouched(self) -> bool:
        """Whether nothing has come yet."""
        return self.head is None and not self._partial and not self._head_bytes

    @property
    def ended(self) -> bool:
        """Whether the reply is whole. What comes then is no part of it."""
        return self._part is _Part.END

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in what came. Raises `MalformedReply`, `MalformedBody` and `HeadTooLarge`."""
        if self._part is _Part.HEAD:
            data = self._feed_head(data)
            if self._part is _Part.HEAD:
                return []
        if self._part is _Part.BODY:
            return self._feed_plain(data)
        return [] if self._part is _Part.END else self._feed_chunks(data)

    def end(self) -> None:
        """The connection has ended. Raises `CutReply` if the reply is not whole."""
        if self._part is _Part.BODY and self.head is not None and self.head.framing is Framing.CLOSE:
            self._part = _Part.END
        if self._part is not _Part.END:
            raise CutReply

    def _feed_head(self, data: bytes) -> bytes:
        """Read the head, and those of interim replies (1xx) before it. Returns what comes after it."""
        while True:
            # Not copied until it is whole: a server may send it byte by byte.
            searched = max(0, len(self._partial) - 3)
            source: bytes | bytearray = data
            if self._partial:
                self._partial += data
                source = self._partial
            reject_other_protocols(bytes(source[:100]))
            ends, after = _head_end(source, searched)
            if self._head_bytes + (len(source) if ends < 0 else ends) > MAX_HEAD_BYTES:
                raise HeadTooLarge(f"more than {MAX_HEAD_BYTES} bytes of headers")
            if ends < 0:
                if source is data:
                    self._partial += data
                return b""
            head, data = read_head(bytes(source[:ends])), bytes(source[after:])
            self._partial.clear()
            self._head_bytes += after
            if head.status // 100 != 1 or head.status == _SWITCHING_PROTOCOLS:
                self._begin_body(head)
                return data
            if not data:
                return b""

    def _begin_body(self, head: ReplyHead) -> None:
        self.head = head
        self._left = head.length
        if head.framing is Framing.NO_BODY:
            self._part = _Part.END
        else:
            self._part = _Part.SIZE if head.framing is Framing.CHUNKED else _Part.BODY

    def _feed_plain(self, data: bytes) -> list[bytes]:
        if self.head is None or self.head.framing is Framing.CLOSE:
            return [data] if data else []
        piece = data[: self._left] if len(data) > self._left else data
        self._left -= len(piece)
        if not self._left:
            self._part = _Part.END
        return [piece] if piece else []

    def _feed_chunks(self, data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size and self._part is not _Part.END:
            if self._part is _Part.DATA:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                pieces.append(piece)
                if not self._left:
                    self._part = _Part.DATA_END
            elif self._part is _Part.TRAILER:
                at = self._feed_trailer(data, at)
            else:
                at = self._feed_line(data, at)
        return pieces

    def _feed_line(self, data: bytes, at: int) -> int:
        """Read the size of a chunk, or the line end after its data. Returns where the rest begins."""
        if self._part is _Part.DATA_END:
            wanted = 2 - len(self._partial)
            self._partial += data[at : at + wanted]
            if not b"\r\n".startswith(self._partial):
                raise MalformedBody("malformed chunked encoding")
            if len(self._partial) == 2:
                self._partial.clear()
                self._part = _Part.SIZE
            return at + wanted
        ends = data.find(b"\n", at)
        line = data[at : ends + 1] if ends >= 0 else data[at:]
        if self._partial:
            self._partial += line
            line = bytes(self._partial)
        if len(line) > _MAX_CHUNK_LINE:
            raise MalformedBody("header line too long")
        if ends < 0:
            self._partial[:] = line
            return len(data)
        self._partial.clear()
        self._begin_chunk(line)
        return ends + 1

    def _begin_chunk(self, line: bytes) -> None:
        self._left = chunk_size(line)
        self._excess = max(0, self._excess + len(line) - 16 - 2 * self._left)
        if self._excess > _MAX_EXCESS:
            raise MalformedBody("chunked encoding contains too much non-data")
        self._part = _Part.DATA if self._left else _Part.TRAILER

    def _feed_trailer(self, data: bytes, at: int) -> int:
        """Read the trailer, which is checked and dropped. Returns where the rest begins."""
        self._partial += data[at:]
        if self._partial.startswith(b"\r\n"):
            self._part = _Part.END
        elif self._partial.find(b"\r\n\r\n", 0, _MAX_TRAILER) >= 0:
            trailer = bytes(self._partial)
            try:
                # It ends with the first empty line, although one with CRLF has to follow.
                if not trailer.startswith(b"\n"):
                    read_headers(trailer[: _head_end(trailer, 0)[0]])
            except MalformedReply as error:
                raise MalformedBody(str(error)) from None
            self._part = _Part.END
        elif len(self._partial) >= _MAX_TRAILER:
            raise MalformedBody("suspiciously long trailer after chunked body")
        return len(data)


@lru_cache(maxsize=64)
def chunk_size(line: bytes) -> int:
    """The size in a line before a chunk, `SIZE[;EXTENSION]` with CRLF. Raises `MalformedBody`."""
    if not line.endswith(b"\r\n"):
        raise MalformedBody("chunked line ends with bare LF")
    if b"\r" in line[:-2]:
        raise MalformedBody("invalid CR in chunked line")
    number = line[:-2].rstrip(b" \t").partition(b";")[0]
    if _SIZE.fullmatch(number) is None:
        raise MalformedBody("invalid byte in chunk length" if number else "empty hex number for chunk length")
    return int(number, 16)


def _head_end(data: bytes | bytearray, searched: int) -> tuple[int, int]:
    """Where the last line of a head ends, and where the rest begins; -1 if the empty line has not come."""
    crlf = data.find(b"\n\r\n", searched)
    bare = data.find(b"\n\n", searched, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        return bare, bare + 2
    return crlf, crlf + 3
