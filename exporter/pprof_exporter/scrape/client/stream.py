"""The bytes of one connection, plain or over TLS.

Each waits in the methods of the event loop for sockets. asyncio's transports would hold what came in objects that refer
to each other, and with them an error and all that its traceback refers to.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Protocol

from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.reply_head import quoted
from pprof_exporter.scrape.client.reply_parser import ReplyParser

_PIECE = 64 * 1024
# `sock_recv` returns at once for as long as the server is faster than we are, and nothing else would run meanwhile.
_UNTIL_OTHERS = 16 * _PIECE
_SHOWN = 100


class PlainReply(HttpError):
    """A server that was asked for TLS answers with HTTP."""


class NoHttp2(HttpError):
    """A server does not speak HTTP/2."""


class StreamRefused(HttpError):
    """The server speaks HTTP/2, and ended the request by an error code."""


class Stream(Protocol):
    """A connection. Errors of it are `OSError`."""

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        ...

    async def receive(self) -> bytes:
        """The next bytes; none once the other side has ended the connection."""
        ...

    def close(self) -> None:
        """Close the connection at once."""
        ...


async def receive_into(parser: ReplyParser, stream: Stream) -> list[bytes]:
    """Receive the next bytes of a reply. Returns the pieces of its body in them.

    Raises `OSError`, and what the parser raises.
    """
    data = await stream.receive()
    if data:
        return parser.feed(data)
    parser.end()
    return []


class PlainStream:
    """A TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._taken = 0
        """Bytes since the rest of the event loop had a turn."""

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._connection, data)

    async def receive(self) -> bytes:
        """The next bytes."""
        if self._taken >= _UNTIL_OTHERS:
            self._taken = 0
            await asyncio.sleep(0)
        data = await self._loop.sock_recv(self._connection, _PIECE)
        self._taken += len(data)
        return data

    def close(self) -> None:
        """Close the connection at once."""
        self._connection.close()


class TlsStream:
    """TLS over a TCP connection. `handshake` comes first."""

    def __init__(
        self, plain: PlainStream, context: ssl.SSLContext, server_name: str, *, offered: Sequence[str] = ()
    ) -> None:
        """`offered` are the protocols that the client offers (ALPN)."""
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # The context is shared; a connection keeps what its context offers when it is made (SSL_new(3)).
        context.set_alpn_protocols(list(offered))
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._first = b""
        """The first bytes of the server."""

    @property
    def application_protocol(self) -> str:
        """What both sides agreed to speak (ALPN); "" if nothing was offered or chosen."""
        return self._tls.selected_alpn_protocol() or ""

    async def handshake(self) -> None:
        """Agree with the server. Raises `OSError`, of which `ssl.SSLError` is one, and `PlainReply`."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._exchange()
            except ssl.SSLError:
                # The alert that tells the server why; it may be gone.
                with contextlib.suppress(OSError):
                    await self._flush()
                if self._first.startswith(b"HTTP/"):
                    raise PlainReply(quoted(self._first)) from None
                raise
            else:
                await self._flush()
                return

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._tls.write(view) :]
            except ssl.SSLWantReadError:
                await self._exchange()
            await self._flush()

    async def receive(self) -> bytes:
        """The next bytes. A connection that ends without TLS saying so may have been cut: `ConnectionError`."""
        while True:
            try:
                return self._tls.read(_PIECE)
            except ssl.SSLWantReadError:
                await self._exchange()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLEOFError:
                raise ConnectionError("without the end of TLS") from None

    def close(self) -> None:
        """Close the connection at once, without the end of TLS, which nobody waits for."""
        self._plain.close()

    async def _exchange(self) -> None:
        """Send what TLS has to say, and wait for what the server says."""
        await self._flush()
        data = await self._plain.receive()
        self._first = self._first or data[:_SHOWN]
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._plain.send(data)
