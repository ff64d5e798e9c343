"""One request and its reply over HTTP/2 (RFC 9113), on a connection of its own, for servers that speak nothing else.

h2 keeps the state of the protocol, and is loaded with the first such server.
"""

from __future__ import annotations

from collections.abc import Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from pprof_exporter.scrape.client.reply_head import MAX_HEAD_BYTES, Framing, MalformedHeader, NotHttp, ReplyHead, quoted
from pprof_exporter.scrape.client.reply_parser import CutReply, MalformedBody
from pprof_exporter.scrape.client.stream import NoHttp2, Stream, StreamRefused

_STREAM = 1
# As much of a body as may come before it is acknowledged: a profile seldom waits for that.
_WINDOW = 2**20
_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
}
# Headers of a connection of HTTP/1 (RFC 9113, section 8.2.2).
_OF_HTTP1 = frozenset({"connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})


class Http2Exchange:
    """A request over HTTP/2. `headers` are those besides the ones that begin with a colon."""

    def __init__(
        self, stream: Stream, target: tuple[str, str, str], headers: Sequence[tuple[str, str]], body: bytes | None
    ) -> None:
        """`target` is the scheme, the authority (host and port) and the path of the request."""
        self._stream = stream
        scheme, authority, path = target
        self._headers = [
            (":method", "GET" if body is None else "POST"),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path),
            *((name.lower(), value) for name, value in headers if name.lower() not in _OF_HTTP1),
        ]
        self._body = body
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._head: ReplyHead | None = None
        self._came: list[bytes] = []
        self._greeted = False
        self._ended = False
        self._cut = False
        """Whether the server ended the request within the body."""

    async def begin(self) -> ReplyHead:
        """Send the request. Returns the head of the reply once it has come."""
        connection = self._h2
        connection.local_settings = Settings(client=True, initial_values=_SETTINGS)
        connection.decoder.max_header_list_size = MAX_HEAD_BYTES
        connection.initiate_connection()
        connection.increment_flow_control_window(_WINDOW)
        connection.send_headers(_STREAM, self._headers, end_stream=not self._body)
        if self._body:
            connection.send_data(_STREAM, self._body, end_stream=True)
        await self._stream.send(connection.data_to_send())
        while self._head is None:
            await self._receive()
        return self._head

    async def pieces(self) -> list[bytes]:
        """The next pieces of the body, none at its end."""
        while not self._came and not self._ended:
            if self._cut:
                raise CutReply
            await self._receive()
        pieces, self._came = self._came, []
        return pieces

    def close(self) -> None:
        """Close the connection at once."""
        self._stream.close()

    async def _receive(self) -> None:
        data = await self._stream.receive()
        if not data:
            raise CutReply
        if not self._greeted and data.startswith(b"HTTP/"):
            raise NoHttp2(f"the server answers {quoted(data)}")
        self._greeted = True
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
            answer = self._h2.data_to_send()
        except H2Error as error:
            said = str(error) or type(error).__name__
            # h2 keeps what it read in its frames, and its errors refer to them.
            failure = MalformedBody(said) if self._head else NotHttp(f"HTTP/2: {said}")
        else:
            if answer:
                await self._stream.send(answer)
            return
        raise failure

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._head = _head([(str(name), str(value)) for name, value in event.headers])
            case DataReceived():
                if event.data:
                    self._came.append(bytes(event.data))
                self._h2.acknowledge_received_data(event.flow_controlled_length, _STREAM)
            case StreamEnded():
                self._ended = True
            case StreamReset():
                self._refused(event.error_code)
            case ConnectionTerminated() if event.error_code:
                self._refused(event.error_code)

    def _refused(self, code: int | ErrorCodes | None) -> None:
        if self._head is None:
            raise StreamRefused(f"the server ended the HTTP/2 request: {_named(code)}")
        self._cut = not self._ended


def _named(code: int | ErrorCodes | None) -> str:
    try:
        return ErrorCodes(code or 0).name
    except ValueError:
        return f"code {code}"


def _head(received: Sequence[tuple[str, str]]) -> ReplyHead:
    headers: dict[str, list[str]] = {}
    status = ""
    for name, value in received:
        if name == ":status":
            status = value
        else:
            headers.setdefault(name.lower(), []).append(value)
    if not status.isascii() or not status.isdigit() or len(status) != 3:
        raise MalformedHeader(f"malformed HTTP status code {status[:60]!r}")
    return ReplyHead(int(status), status, headers, Framing.CLOSE)
