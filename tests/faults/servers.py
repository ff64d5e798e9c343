"""Targets on loopback, in a thread of their own: healthy ones that replay recordings, and ones that do harm."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator

from tests.conftest import RECORDINGS

RECORDED = RECORDINGS / "linux-go1.27.3"
FILES = {"": "index.html", "cmdline": "cmdline.txt", "metrics": "metrics.txt", "profile": "cpu_burn1.pb.gz"}

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Answers one request for a path below /debug/pprof/; the connection is closed when it returns."""


def whole(body: bytes) -> bytes:
    """A complete reply."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


async def healthy(path: str, writer: asyncio.StreamWriter) -> None:
    """What a real program answered; a window of any length is over at once."""
    name, _, query = path.partition("?")
    file = f"{name}_debug1.txt" if query == "debug=1" else FILES.get(name, f"{name}.pb.gz")
    writer.write(whole((RECORDED / file).read_bytes()) if (RECORDED / file).exists() else b"HTTP/1.1 404 No\r\n\r\n")


async def drips_header(path: str, writer: asyncio.StreamWriter) -> None:
    """A header that never ends, byte by byte."""
    await _drip(writer, b"HTTP/1.1 200 OK\r\nX-Patience: ")


async def drips_body(path: str, writer: asyncio.StreamWriter) -> None:
    """A body that never ends, byte by byte."""
    await _drip(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")


async def resets(path: str, writer: asyncio.StreamWriter) -> None:
    """A connection that is reset within the body."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
    await writer.drain()
    # So that what was written arrives before the reset, which would overtake it.
    await asyncio.sleep(0.1)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def bombs(path: str, writer: asyncio.StreamWriter) -> None:
    """A healthy index page, and heap profiles of 4 MB that inflate to 4 GB."""
    if not path.startswith("heap"):
        await healthy(path, writer)
        return
    stream = zlib.compressobj(wbits=31)
    head = stream.compress(bytes(2**20)) + stream.flush(zlib.Z_FULL_FLUSH)
    again = stream.compress(bytes(2**20)) + stream.flush(zlib.Z_FULL_FLUSH)
    writer.write(whole(head + again * 4000))


async def _drip(writer: asyncio.StreamWriter, head: bytes) -> None:
    for number in itertools.count():
        writer.write(head[number : number + 1] or b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


class Servers:
    """Starts servers until its block ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: list[asyncio.Server] = []

    def start(self, answer: Answer) -> str:
        """Host and port of a new server that answers like this."""
        return asyncio.run_coroutine_threadsafe(self._start(answer), self._loop).result(30)

    async def _start(self, answer: Answer) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await answer(request.split()[1].removeprefix("/debug/pprof/").removeprefix("/"), writer)
                await writer.drain()
            except (ConnectionError, asyncio.IncompleteReadError):
                # The client has gone.
                return
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End all of them, and what they still answer."""
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def serving() -> Iterator[Servers]:
    """A thread with an event loop for servers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers = Servers(loop)
    try:
        yield servers
    finally:
        asyncio.run_coroutine_threadsafe(servers.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
