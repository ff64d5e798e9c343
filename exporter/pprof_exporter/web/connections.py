"""Bounds on connections to our own pages: how many there are, and how long and how large a first request may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pprof_exporter.web.protocol import REQUEST_HEAD_BYTES, raw_reply

# More than the probes that run at once (probe.concurrency), so that one too many gets an error reply and is not cut.
MOST = 1024
_HEAD_WITHIN = 10.0
_HEAD_ENDS = b"\r\n\r\n"


class Connections:
    """Makes the protocol of each connection of one listener: that of `make`, with bounds around it.

    Later requests on a connection are bounded by the keep-alive timeout of aiohttp, which does not mind their first
    bytes; before 3.14 it did not cover the first request at all.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], *, most: int = MOST, within: float = _HEAD_WITHIN) -> None:
        self.most = most
        self.within = within
        self.open = 0
        self._make = make

    def __call__(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return _Bounded(self, self._make())


class _Bounded(asyncio.Protocol):
    def __init__(self, all_: Connections, inner: asyncio.Protocol) -> None:
        self._all = all_
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._head = 0
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport) or self._all.open >= self._all.most:
            transport.close()
            return
        self._all.open += 1
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(self._all.within, transport.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._timer is not None:
            self._head += len(data)
            # Empty lines before a request are nothing (RFC 9112, section 2.2), and not the end of one.
            seen = (self._tail + data).lstrip(b"\r\n")
            if _HEAD_ENDS in seen:
                self._done()
            elif self._head > REQUEST_HEAD_BYTES:
                self._refuse(self._transport)
                return
            self._tail = seen[-3:]
        self._inner.data_received(data)

    def _refuse(self, transport: asyncio.Transport) -> None:
        """Say why, and read no more; the timer ends the connection if the client does not."""
        transport.pause_reading()
        transport.write(raw_reply(431))
        transport.close()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return
        self._all.open -= 1
        self._transport = None
        self._done()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
