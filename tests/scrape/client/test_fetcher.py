"""One GET against servers that do everything wrong, and where its time goes."""

from __future__ import annotations

import asyncio
import base64
import errno
import gc
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.body import Excerpt, ReplyBody
from pprof_exporter.scrape.client.dialer import Dialer
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_parser import ReplyParser
from pprof_exporter.scrape.client.stream import PlainStream

T = TypeVar("T")
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TRICKLE: list[bytes | float] = [b"x", 0.02] * 100
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(SystemClock(), max_bytes=100_000)


class Server:
    """Answers each connection with one function, and remembers requests and ended connections."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.url = URL()
        self.requests: list[str] = []
        self.ended = 0
        self._serving: set[asyncio.Task[object] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            await self._answer(reader, writer)
            await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended += 1
            writer.close()
            self._serving.discard(asyncio.current_task())

    async def close(self) -> None:
        """Wait until every client has gone."""
        await until(lambda: not self._serving)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = URL(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/debug/pprof/heap")
    try:
        yield server
    finally:
        listener.close()
        await server.close()


@asynccontextmanager
async def listening(says: bytes = b"") -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port where each client hears this after its first bytes, or nothing; and whether there was one."""
    connected, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read(10)
        writer.write(says)
        if not says:
            await reader.read()
        writer.close()
        gone.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], connected
    finally:
        listener.close()
        await gone.wait()


def sends(*pieces: bytes | float, close: bool = False, reset: bool = False) -> Answer:
    """Write bytes and pause for numbers of seconds, in order; then wait for the client to go, or close, or reset."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await asyncio.sleep(piece)
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if close or reset:
            writer.close()

    return answer


def whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


async def overdue(asking: asyncio.Task[T], asked: Callable[[], object]) -> T:
    """What a request with a patience of 60 s gets, which are over once it arrived and all that came was read.

    The clock of the event loop is set ahead: how fast the machine is makes no difference.
    """
    await until(asked)
    for _ in range(50):
        await asyncio.sleep(0.001)
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + 60  # type: ignore[method-assign]  # only this test has this loop
    return await asking


async def reason_after(fetcher: Fetcher, url: URL, asked: Callable[[], object]) -> tuple[Reason, str]:
    """As `reason_of`, for a reply that does not end."""
    return await overdue(asyncio.create_task(reason_of(fetcher, url, timeout=60)), asked)


async def reason_of(fetcher: Fetcher, url: URL, *, timeout: float = 5) -> tuple[Reason, str]:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(url, timeout=timeout)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sends(close=True), Reason.CLOSED),
        (sends(reset=True), Reason.CLOSED),
        (sends(b"HTTP/1.1 200 O", close=True), Reason.CLOSED),
        (sends(b"hello\r\n", close=True), Reason.NOT_HTTP),
        (sends(b"\x15\x03\x01\x00\x02\x02\x46", close=True), Reason.NOT_HTTP),
        (sends(b"SSH-2.0-OpenSSH_9.2p1\r\n"), Reason.NOT_HTTP),
        (sends(HEAD + b"Bad\x00Name: y\r\n\r\n"), Reason.HEADERS),
        (sends(HEAD + b"X: " + b"y" * 2**20), Reason.HEADERS),
        (sends(HEAD + b"X: y\r\n" * 10_001 + b"\r\n"), Reason.HEADERS),
        (sends(HEAD + b"Content-Length: many\r\n\r\n"), Reason.HEADERS),
        (sends(b"HTTP/1.1 what\r\n\r\n"), Reason.NOT_HTTP),
        (sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfive\r\nabcde"), Reason.TRUNCATED),
        (sends(HEAD + b"Content-Length: 10\r\n\r\nabc", close=True), Reason.TRUNCATED),
        (sends(HEAD + b"Content-Length: 10\r\n\r\nabc", reset=True), Reason.TRUNCATED),
        (sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", close=True), Reason.TRUNCATED),
        (sends(whole(b"x" * 100_001)), Reason.TOO_LARGE),
        (sends(b"HTTP/1.1 204 No Content\r\n\r\n"), Reason.EMPTY),
        (sends(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"), Reason.NOT_MOUNTED),
        (sends(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"), Reason.HTTP_3XX),
    ],
)
async def test_every_broken_reply_has_its_reason(fetcher: Fetcher, answer: Answer, reason: Reason) -> None:
    async with serving(answer) as server:
        assert (await reason_of(fetcher, server.url))[0] is reason
        # No request is repeated. A server that only closes is greeted in HTTP/2 once.
        assert len([request for request in server.requests if request.startswith("GET")]) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sends(), Reason.TIMEOUT_HEADER),
        (sends(b"HTTP/1.1 200 OK\r\n"), Reason.TIMEOUT_HEADER),
        (sends(HEAD + b"Content-Length: 10\r\n\r\nabc"), Reason.TIMEOUT_BODY),
        (sends(HEAD + b"Content-Length: 100\r\n\r\n", *TRICKLE), Reason.TIMEOUT_BODY),
        (sends(b"HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc"), Reason.TIMEOUT_BODY),
    ],
)
async def test_a_reply_that_does_not_end_is_cut_and_says_where_it_stopped(
    fetcher: Fetcher, answer: Answer, reason: Reason
) -> None:
    async with serving(answer) as server:
        found, detail = await reason_after(fetcher, server.url, lambda: server.requests)
        assert found is reason
        assert "within 60 s" in detail


async def test_what_go_reads_is_read(fetcher: Fetcher) -> None:
    for head in (
        b"X: " + b"y" * 100_000 + b"\r\nContent-Length: 5\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(2000)) + b"Content-Length: 5\r\n",
        b"Bad Name: y\r\nContent-Length: 5\r\n",
    ):
        async with serving(sends(HEAD + head + b"\r\nhello")) as server:
            assert (await fetcher.get(server.url, timeout=60)).body == b"hello"
    both = HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with serving(sends(both)) as server:
        assert (await fetcher.get(server.url, timeout=60)).body == b"hello"


BIG = HEAD + b"Content-Length: 99000\r\n\r\n" + bytes(50_000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sends(BIG, close=True), Reason.TRUNCATED),
        (sends(BIG, 0.05, reset=True), Reason.TRUNCATED),
        (sends(BIG), Reason.TIMEOUT_BODY),
        (sends(HEAD + b"\r\n" + bytes(200_000)), Reason.TOO_LARGE),
        (sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nC350\r\n" + bytes(50_001)), Reason.TRUNCATED),
        (sends(b"HTTP/1.1 500 No\r\nContent-Length: 99000\r\n\r\n" + bytes(3_000)), Reason.TIMEOUT_BODY),
        (sends(), Reason.TIMEOUT_HEADER),
        (sends(close=True), Reason.CLOSED),
        (sends(b"hello"), Reason.NOT_HTTP),
    ],
)
async def test_nothing_of_a_failed_reply_waits_for_a_collection_of_garbage(
    fetcher: Fetcher, answer: Answer, reason: Reason
) -> None:
    async with serving(answer) as server, uncollected():
        before = parts_of_requests()
        asking = asyncio.create_task(outcome(fetcher, server.url))
        ends = reason not in (Reason.TIMEOUT_HEADER, Reason.TIMEOUT_BODY)
        assert await (asking if ends else overdue(asking, lambda: server.requests)) is reason
        assert parts_of_requests() == before


async def test_nothing_of_a_refused_connection_waits_for_a_collection_of_garbage(fetcher: Fetcher) -> None:
    async with serving(sends()) as server:
        gone = server.url
    async with uncollected():
        before = parts_of_requests()
        assert await outcome(fetcher, gone) is Reason.CONNECT
        assert parts_of_requests() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:1/"])
async def test_nothing_of_a_request_without_a_socket_waits_for_a_collection_of_garbage(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def no_socket(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Dialer, "_open", no_socket)
    async with uncollected():
        before = parts_of_requests()
        assert await outcome(fetcher, URL(url)) is Reason.EXHAUSTED
        assert parts_of_requests() == before


async def test_nothing_of_a_cancelled_request_waits_for_a_collection_of_garbage(fetcher: Fetcher) -> None:
    async with serving(sends(BIG)) as server, uncollected():
        before = parts_of_requests()
        request = asyncio.create_task(fetcher.get(server.url, timeout=60))
        await until(lambda: any(isinstance(one, ReplyBody) and one.size for one in parts_of_requests()))
        request.cancel()
        await asyncio.wait([request])
        del request
        await asyncio.sleep(0)
        assert parts_of_requests() == before


@asynccontextmanager
async def uncollected() -> AsyncIterator[None]:
    """Without collections of garbage."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def parts_of_requests() -> list[object]:
    """What is in memory of requests and their replies."""
    kinds = (ReplyBody, ReplyParser, PlainStream, Stopwatch)
    return [found for found in gc.get_objects() if isinstance(found, kinds)]


async def outcome(fetcher: Fetcher, url: URL) -> Reason | None:
    """The reason of a failure. What `pytest.raises` catches is in a cycle of its own."""
    reason = None
    try:
        await fetcher.get(url, timeout=60)
    except FetchError as error:
        reason = error.reason
    # The event loop holds what woke a task for as long as the task runs.
    await asyncio.sleep(0)
    return reason


async def test_nobody_listening_is_a_connection_that_failed(fetcher: Fetcher) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    reason, detail = await reason_of(fetcher, URL(f"http://127.0.0.1:{port}/"))
    assert reason is Reason.CONNECT
    assert "Errno" in detail or "refused" in detail or "failed" in detail


async def test_a_name_that_does_not_exist_does_not_resolve(fetcher: Fetcher) -> None:
    assert (await reason_of(fetcher, URL("http://shop.invalid:6060/"), timeout=10))[0] is Reason.RESOLVE


async def test_a_server_that_speaks_no_tls_fails_the_handshake(fetcher: Fetcher) -> None:
    async with listening(b"HTTP/1.0 400 Bad Request\r\n\r\n") as (port, _):
        assert (await reason_of(fetcher, URL(f"https://127.0.0.1:{port}/")))[0] is Reason.TLS


async def test_a_handshake_that_hangs_is_tls_too(fetcher: Fetcher) -> None:
    async with listening() as (port, connected):
        assert (await reason_after(fetcher, URL(f"https://127.0.0.1:{port}/"), connected.is_set))[0] is Reason.TLS


async def test_a_good_reply_comes_whole_with_its_phases(fetcher: Fetcher) -> None:
    async with serving(sends(0.1, HEAD + b"Content-Length: 6\r\n\r\nabc", 0.1, b"def")) as server:
        reply = await fetcher.get(server.url, query={"seconds": "5"}, timeout=5)
    assert reply.body == b"abcdef"
    phases = reply.phases
    assert phases.first_byte >= 0.09
    assert phases.transfer >= 0.09
    assert phases.connect > 0
    assert phases.resolve == phases.tls == 0
    assert phases.total == pytest.approx(sum(seconds for _, seconds in phases.items()))
    assert server.requests[0].startswith("GET /debug/pprof/heap?seconds=5 HTTP/1.1\r\n")
    assert "Accept-Encoding: identity" in server.requests[0]
    assert "User-Agent: pprof-exporter/" in server.requests[0]


@pytest.mark.parametrize("size", [0, 10, 2999, 3000, 3001, 6000, 90_000])
async def test_of_an_excerpt_only_head_and_tail_are_kept(fetcher: Fetcher, size: int) -> None:
    body = b"".join(b"%6d" % number for number in range(size // 6 + 1))[:size]
    async with serving(sends(whole(body), close=True)) as server:
        reply = await fetcher.get(server.url, timeout=5, excerpt=Excerpt(1000, 2000))
        entire = await fetcher.get(server.url, timeout=5)
    assert reply.body == (body if size <= 3000 else body[:1000] + body[-2000:])
    assert reply.size == size
    assert (entire.body, entire.size) == (body, size)


async def test_what_is_dropped_counts_towards_the_limit(fetcher: Fetcher) -> None:
    async with serving(sends(whole(bytes(100_001)), close=True)) as server:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(server.url, timeout=5, excerpt=Excerpt(10, 10))
    assert caught.value.reason is Reason.TOO_LARGE


async def test_a_long_body_takes_no_more_memory_than_its_excerpt() -> None:
    body = ReplyBody(10**9, Excerpt(512, 65536))
    for number in range(1000):
        body.add(b"%04d" % number * 2048)
        assert body.size <= 512 + 2 * 65536 + 8192
    kept = await body.take()
    assert len(kept) == 512 + 65536
    assert (kept[:4], kept[-4:], body.received) == (b"0000", b"0999", 1000 * 8192)


async def test_the_window_that_was_asked_for_is_no_latency(fetcher: Fetcher) -> None:
    for answer in (sends(0.3, whole(b"abc")), sends(HEAD + b"Content-Length: 3\r\n\r\n", 0.3, b"abc")):
        async with serving(answer) as server:
            began = time.perf_counter()
            reply = await fetcher.get(server.url, timeout=60, window=0.3)
            assert reply.phases.total < time.perf_counter() - began - 0.299


async def test_patience_begins_after_the_window(fetcher: Fetcher) -> None:
    async with serving(sends(0.3, whole(b"abc"))) as server:
        assert (await fetcher.get(server.url, timeout=0.2, window=60)).body == b"abc"


async def test_no_connection_is_left_open(fetcher: Fetcher) -> None:
    async with serving(sends(whole(b"abc"))) as server:
        for _ in range(3):
            await fetcher.get(server.url, timeout=5)
        await until(lambda: server.ended == 3)


async def test_credentials_go_out_and_are_in_no_message(fetcher: Fetcher) -> None:
    async with serving(sends(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")) as server:
        url = server.url.with_user("scott").with_password("tiger")
        reason, detail = await reason_of(fetcher, url)
        assert reason is Reason.UNAUTHORIZED
        assert "tiger" not in detail
        assert base64.b64encode(b"scott:tiger").decode() in server.requests[0]
    _, refused = await reason_of(fetcher, URL("http://scott:tiger@127.0.0.1:1/"))
    assert "tiger" not in refused
