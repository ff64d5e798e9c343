"""Servers that speak HTTP/2 only: found once, then asked in HTTP/2 alone, with a reason for each way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamEnded, WindowUpdated
from h2.exceptions import ProtocolError
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.config import Authorization, ClientSettings, Secret
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.client.http2 import Http2Exchange
from pprof_exporter.scrape.client.stream import PlainStream
from tests.scrape.fakes import FakeClock

HELLO = [(":status", "200"), ("content-type", "text/plain; charset=utf-8")]
AGAIN = 601.0

Answer = Callable[[H2Connection, int], object]


@dataclass(slots=True)
class Server:
    """A server that closes connections that do not begin in HTTP/2."""

    answer: Answer
    connections: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    url: URL = field(default_factory=URL)
    body: bytes = b""
    """Sent as the windows of the client allow."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, ProtocolError), contextlib.closing(writer):
            data = await reader.read(65536)
            if not data.startswith(b"PRI * HTTP/2.0"):
                return
            connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
            connection.initiate_connection()
            asked, sent = False, 0
            while data:
                for event in connection.receive_data(data):
                    if isinstance(event, RequestReceived):
                        self.requests.append({str(name): str(value) for name, value in event.headers})
                    if isinstance(event, StreamEnded) and self.answer(connection, event.stream_id) is False:
                        return
                    asked = asked or isinstance(event, StreamEnded)
                    if asked and isinstance(event, StreamEnded | WindowUpdated):
                        sent = self._send(connection, sent)
                writer.write(connection.data_to_send())
                await writer.drain()
                data = await reader.read(65536)

    def _send(self, connection: H2Connection, sent: int) -> int:
        while sent < len(self.body) and (room := connection.local_flow_control_window(1)):
            piece = self.body[sent : sent + min(room, connection.max_outbound_frame_size)]
            sent += len(piece)
            connection.send_data(1, piece, end_stream=sent == len(self.body))
        return sent


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle, port: int = 0) -> AsyncIterator[int]:
    """A server. Nothing of its connections outlives it."""
    handlers: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers[asyncio.current_task()] = writer
        # asyncio of Python 3.11 logs a handler that was cancelled.
        with contextlib.suppress(asyncio.CancelledError):
            await handle(reader, writer)

    async with await asyncio.start_server(noting, "127.0.0.1", port) as server:
        yield server.sockets[0].getsockname()[1]
    for handler, writer in handlers.items():
        writer.transport.abort()
        if handler is not None:
            handler.cancel()
            await handler
    await asyncio.sleep(0)


@asynccontextmanager
async def speaking(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    async with listening(server.handle) as port:
        server.url = URL(f"http://127.0.0.1:{port}/debug/pprof/heap?seconds=1")
        yield server


def hello(connection: H2Connection, stream: int) -> None:
    connection.send_headers(stream, HELLO)
    connection.send_data(stream, b"hello", end_stream=True)


async def failure(fetcher: Fetcher, url: URL) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(url, timeout=60)
    return caught.value


async def test_a_server_is_found_once_and_asked_in_http_2_from_then_on(fetcher: Fetcher) -> None:
    async with speaking(hello) as server:
        for fetches in range(1, 4):
            reply = await fetcher.get(server.url, timeout=60)
            assert (reply.body, reply.content_type) == (b"hello", "text/plain")
            assert server.connections == fetches + 1, "one connection in vain, of the first fetch"
            assert reply.phases.total < 60
    assert server.requests[0] | {"user-agent": ""} == {
        ":method": "GET",
        ":scheme": "http",
        ":authority": server.url.authority,
        ":path": "/debug/pprof/heap?seconds=1",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": "",
    }


async def test_credentials_are_sent_as_over_http_1(fetcher: Fetcher) -> None:
    async with speaking(hello) as server:
        bound = fetcher.bind(ClientSettings(Authorization("Bearer", Secret("s3cret"))))
        await bound.get(server.url, timeout=60)
    assert [request["authorization"] for request in server.requests] == ["Bearer s3cret"]


async def test_a_body_larger_than_the_window_comes_whole(fetcher: Fetcher) -> None:
    async with speaking(lambda connection, stream: connection.send_headers(stream, HELLO)) as server:
        server.body = bytes(range(256)) * 12_000
        large = Fetcher(FakeClock(), max_bytes=2**24)
        assert (await large.get(server.url, timeout=60)).body == server.body
        assert (await failure(fetcher, server.url)).reason is Reason.TOO_LARGE


async def test_interim_replies_trailers_and_large_headers_are_read(fetcher: Fetcher) -> None:
    def all_of_it(connection: H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "103"), ("link", "</style>")])
        connection.send_headers(stream, [*HELLO, ("x-large", "y" * 100_000)])
        connection.send_data(stream, b"hello")
        connection.send_headers(stream, [("checksum", "1")], end_stream=True)

    async with speaking(all_of_it) as server:
        assert (await fetcher.get(server.url, timeout=60)).body == b"hello"


def refuses(connection: H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "404"), ("x-go-pprof", "1")])
    connection.send_data(stream, b"Unknown profile\n", end_stream=True)


def resets_within(connection: H2Connection, stream: int) -> None:
    connection.send_headers(stream, HELLO)
    connection.send_data(stream, b"hel")
    connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)


def goes_away(connection: H2Connection, _stream: int) -> None:
    connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)


@pytest.mark.parametrize(
    ("answer", "reason", "hint", "words"),
    [
        (refuses, Reason.UNKNOWN_PROFILE, None, 'HTTP 404: "Unknown profile"'),
        (
            lambda connection, stream: connection.reset_stream(stream, ErrorCodes.REFUSED_STREAM),
            Reason.CLOSED,
            Hint.HTTP2,
            "REFUSED_STREAM",
        ),
        (goes_away, Reason.CLOSED, Hint.HTTP2, "ENHANCE_YOUR_CALM"),
        (resets_within, Reason.TRUNCATED, None, "cut within the body"),
    ],
)
async def test_a_refusal_says_what_the_server_said(
    fetcher: Fetcher, answer: Answer, reason: Reason, hint: Hint | None, words: str
) -> None:
    async with speaking(answer) as server:
        for _ in range(2):
            error = await failure(fetcher, server.url)
            assert (error.reason, error.hint) == (reason, hint)
            assert words in error.detail


async def test_a_server_that_only_closes_is_tried_in_http_2_once_in_ten_minutes(
    fetcher: Fetcher, clock: FakeClock
) -> None:
    async with speaking(lambda *_: False) as server:
        connections = []
        for _ in range(3):
            error = await failure(fetcher, server.url)
            assert (error.reason, error.hint) == (Reason.CLOSED, None)
            connections.append(server.connections)
        assert connections == [2, 3, 4]
        clock.time += AGAIN
        await failure(fetcher, server.url)
        assert server.connections == 6


async def test_a_server_that_has_answered_in_http_1_is_never_tried_in_http_2(fetcher: Fetcher) -> None:
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        if connections == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    async with listening(once) as port:
        url = URL(f"http://127.0.0.1:{port}/")
        assert (await fetcher.get(url, timeout=60)).body == b"hello"
        for _ in range(2):
            assert (await failure(fetcher, url)).reason is Reason.CLOSED
    assert connections == 3


async def test_a_server_that_takes_up_http_1_is_found_again(fetcher: Fetcher) -> None:
    async with speaking(hello) as server:
        await fetcher.get(server.url, timeout=60)
        port = server.url.port or 0

    async def http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begin = await reader.read(65536)
        refused = begin.startswith(b"PRI")
        writer.write(b"HTTP/1.1 505 No\r\n\r\n" if refused else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        await reader.read()
        writer.close()

    async with listening(http1, port):
        error = await failure(fetcher, server.url)
        assert (error.reason, error.detail) == (
            Reason.CLOSED,
            "the server spoke HTTP/2 before: the server answers 'HTTP/1.1 505 No\\r\\n\\r\\n'",
        )
        assert (await fetcher.get(server.url, timeout=60)).body == b"hi"


@pytest.mark.parametrize("answer", [refuses, goes_away, resets_within, lambda *_: False])
async def test_nothing_of_a_failed_request_waits_for_a_collection_of_garbage(fetcher: Fetcher, answer: Answer) -> None:
    async with speaking(answer) as server:
        await outcome(fetcher, server.url)
        gc.collect()
        gc.disable()
        try:
            before = parts()
            await outcome(fetcher, server.url)
            assert parts() == before
        finally:
            gc.enable()


def parts() -> list[object]:
    return [found for found in gc.get_objects() if isinstance(found, Http2Exchange | PlainStream | FetchError)]


async def outcome(fetcher: Fetcher, url: URL) -> None:
    with contextlib.suppress(FetchError):
        await fetcher.get(url, timeout=60)
    await asyncio.sleep(0)
