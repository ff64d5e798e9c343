"""The body of a reply as it comes, within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.content_encoding import decoded
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.threads import Threads

# Below this size, inflating takes less than passing the body to a thread and back.
_INLINE_BYTES = 4096
_INFLATING = Threads("inflating", 1)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The parts of a long body that are needed: so many bytes of its beginning and of its end.

    What is in between is dropped as it comes.
    """

    head: int
    tail: int

    def of(self, body: bytes) -> bytes:
        """These parts of a body; all of it if it is no longer than they are."""
        return body if len(body) <= self.head + self.tail else body[: self.head] + body[len(body) - self.tail :]


class ReplyBody:
    """Keeps what comes, or an excerpt of it. `max_bytes` is what may come, kept or not, and what it may inflate to."""

    def __init__(self, max_bytes: int, excerpt: Excerpt | None = None) -> None:
        self.encoding = ""
        """The Content-Encoding of what comes, "" for none. Set it before the first piece."""
        self.received = 0
        """Bytes that came."""
        self._max_bytes = max_bytes
        self._excerpt = excerpt
        # Its value is taken without a copy, unlike that of a bytearray.
        self._kept = BytesIO()
        self._size = 0

    @property
    def keeps_excerpt(self) -> bool:
        """Whether only parts of it are kept as it comes, however long it is."""
        return self._excerpt is not None and not self.encoding

    @property
    def size(self) -> int:
        """Bytes that are kept now."""
        return self._size

    def add(self, piece: bytes) -> None:
        """Add the next piece. Raises `FetchError` for more than is allowed on the wire."""
        self._kept.write(piece)
        self._size += len(piece)
        self.received += len(piece)
        if self.received > self._max_bytes:
            raise FetchError(Reason.TOO_LARGE, f"more than the limit of {self._max_bytes} bytes")
        # Not with each piece: the tail would be moved each time. Of an encoded body all is needed.
        excerpt = None if self.encoding else self._excerpt
        if excerpt is not None and self._size > excerpt.head + 2 * excerpt.tail:
            self._drop(excerpt)

    async def take(self) -> bytes:
        """What is kept, without its encoding. Raises `FetchError` for a body that is not in its encoding."""
        kept = self._kept.getvalue()
        self.clear()
        if self.encoding:
            work = partial(_decoded, kept, self.encoding, self._max_bytes)
            result = work() if len(kept) <= _INLINE_BYTES else await _INFLATING.run(work)
            if isinstance(result, Exception):
                raise result
            kept = result
        return kept if self._excerpt is None else self._excerpt.of(kept)

    def clear(self) -> None:
        """Keep nothing: the reply failed. An error's traceback may refer to this body for long."""
        self._kept, self._size = BytesIO(), 0

    def _drop(self, excerpt: Excerpt) -> None:
        """Drop what is between the beginning and the end."""
        kept = excerpt.of(self._kept.getvalue())
        self._kept, self._size = BytesIO(), len(kept)
        self._kept.write(kept)


def _decoded(body: bytes, encoding: str, limit: int) -> bytes | FetchError | MemoryError:
    """The body, or the error: raised in a thread, it would refer to frames that hold the body."""
    try:
        return decoded(body, encoding, limit)
    except FetchError as error:
        return FetchError(error.reason, error.detail)
    except MemoryError:
        return MemoryError(f"not enough memory to inflate {len(body)} bytes")
