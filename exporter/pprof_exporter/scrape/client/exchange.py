"""One request and its reply over HTTP/1, on a connection of its own."""

from __future__ import annotations

from typing import Protocol

from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.reply_head import ReplyHead
from pprof_exporter.scrape.client.reply_parser import CutReply, ReplyParser
from pprof_exporter.scrape.client.stream import Stream, receive_into


class Exchange(Protocol):
    """A request that is sent, and the reply as it comes. Every method but `close` raises `OSError` and `HttpError`."""

    async def begin(self) -> ReplyHead:
        """Send the request. Returns the head of the reply once it has come; `NoReply` if the server only closes."""
        ...

    async def pieces(self) -> list[bytes]:
        """The next pieces of the body, none at its end."""
        ...

    def close(self) -> None:
        """Close the connection at once."""
        ...


class NoReply(HttpError):
    """The server closed the connection without a byte."""


class Http1Exchange:
    """`request` is the request as it is sent."""

    def __init__(self, stream: Stream, request: bytes) -> None:
        self._stream = stream
        self._request = request
        self._parser = ReplyParser()
        self._came: list[bytes] = []

    async def begin(self) -> ReplyHead:
        """See `Exchange.begin`."""
        try:
            await self._stream.send(self._request)
            while (head := self._parser.head) is None:
                self._came = await receive_into(self._parser, self._stream)
        except (ConnectionError, CutReply) as error:
            if not self._parser.untouched:
                raise
            said = str(error)
        else:
            return head
        # Raised here, so that it does not refer to the error of the stream.
        raise NoReply(said)

    async def pieces(self) -> list[bytes]:
        """See `Exchange.pieces`."""
        pieces, self._came = self._came, []
        while not pieces and not self._parser.ended:
            pieces = await receive_into(self._parser, self._stream)
        return pieces

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
