"""The body of a reply as it comes, within bounds."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import FetchError


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The parts of a long body that are needed: so many bytes of its beginning and of its end.

    What is in between is dropped as it comes.
    """

    head: int
    tail: int


class ReplyBody:
    """Keeps what comes, or an excerpt of it. `max_bytes` is what may come, kept or not."""

    def __init__(self, max_bytes: int, excerpt: Excerpt | None = None) -> None:
        self._max_bytes = max_bytes
        self._excerpt = excerpt
        self._kept = bytearray()
        self._dropped = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece. Raises `FetchError` for more than is allowed on the wire."""
        self._kept += piece
        if len(self._kept) + self._dropped > self._max_bytes:
            raise FetchError(Reason.TOO_LARGE, f"more than the limit of {self._max_bytes} bytes")
        # Not with each piece: the tail would be moved each time.
        if self._excerpt is not None and len(self._kept) > self._excerpt.head + 2 * self._excerpt.tail:
            self._drop(self._excerpt)

    def take(self) -> tuple[bytes, int]:
        """What is kept, and how many bytes were dropped."""
        if self._excerpt is not None and len(self._kept) > self._excerpt.head + self._excerpt.tail:
            self._drop(self._excerpt)
        return bytes(self._kept), self._dropped

    def clear(self) -> None:
        """Keep nothing: the reply failed. An error's traceback may refer to this body for long."""
        self._kept = bytearray()

    def _drop(self, excerpt: Excerpt) -> None:
        end = len(self._kept) - excerpt.tail
        self._dropped += end - excerpt.head
        del self._kept[excerpt.head : end]
