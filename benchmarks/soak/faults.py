"""What the targets of the soak do: one function for each way of being healthy or broken."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.soak.programs import PROFILES, made_page, made_profile
from tests.faults.servers import RECORDED, drips_body, drips_header, healthy, whole

HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
LARGE = 32 * 10**6
"""Bytes of a large body: just below what the exporter accepts by default."""
_PIECE = random.Random(1).randbytes(64 * 1024)  # noqa: S311
_BUILD_LASTS = 45.0
_LATE = 6.0
_LINES = b'some_metric_total{label="NUMBER"} 17\n' * 1000
_FLOOD = 800 * len(_LINES)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to one target, by its number. `path` is below /debug/pprof/, with its query."""

    target: int
    path: str
    writer: asyncio.StreamWriter

    @property
    def name(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


Answer = Callable[[Request], Awaitable[None]]


async def is_healthy(request: Request) -> None:
    """What a real program answered."""
    await healthy(request.path, request.writer)


async def cuts_length(request: Request) -> None:
    """A large body that ends before its Content-Length."""
    if await _index(request):
        return
    request.writer.write(HTTP + b"Content-Length: %d\r\n\r\n" % LARGE)
    await _send(request.writer, random.randint(LARGE // 2, LARGE - 1))  # noqa: S311


async def cuts_chunks(request: Request) -> None:
    """A large body in chunks that ends within one."""
    if await _index(request):
        return
    request.writer.write(HTTP + b"Transfer-Encoding: chunked\r\n\r\n1C9C380\r\n")
    await _send(request.writer, random.randint(0x1C9C380 // 2, 0x1C9C380 - 1))  # noqa: S311


async def never_ends(request: Request) -> None:
    """A body without an end, larger than what is accepted."""
    if await _index(request):
        return
    request.writer.write(HTTP + b"\r\n")
    await _send(request.writer, 10 * LARGE)


async def stalls(request: Request) -> None:
    """A large body that stops coming before its end."""
    if await _index(request):
        return
    request.writer.write(HTTP + b"Content-Length: %d\r\n\r\n" % LARGE)
    await _send(request.writer, LARGE - 1)
    await asyncio.sleep(60)


async def drips(request: Request) -> None:
    """A body or a header, byte by byte."""
    await (drips_body if request.target % 2 else drips_header)(request.path, request.writer)


async def is_silent(request: Request) -> None:
    """A connection on which nothing comes."""
    await asyncio.sleep(60)


async def resets(request: Request) -> None:
    """A connection that is reset within a large body."""
    request.writer.write(HTTP + b"Content-Length: %d\r\n\r\n" % LARGE)
    await _send(request.writer, 3 * 10**6)
    connection: socket.socket = request.writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.writer.transport.abort()


async def fails(request: Request) -> None:
    """A server error with a long text that differs each time, which is also cut."""
    text = f"error {time.time_ns()} ".encode() * 50_000
    request.writer.write(b"HTTP/1.1 503 Out\r\nContent-Length: %d\r\n\r\n" % (len(text) + 1) + text)


async def is_html(request: Request) -> None:
    """A login page for every path."""
    request.writer.write(whole(b"<!doctype html><title>Log in</title>" + b"<p>x</p>" * 10_000))


async def floods(request: Request) -> None:
    """Thirty megabytes of text for every path: lines as on a metrics page, complete."""
    request.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % _FLOOD)
    for number in range(_FLOOD // len(_LINES)):
        request.writer.write(_LINES.replace(b"NUMBER", b"%06d" % number))
        await request.writer.drain()


async def is_garbage(request: Request) -> None:
    """No HTTP."""
    request.writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n" if request.target % 2 else random.randbytes(5000))  # noqa: S311


async def bombs(request: Request) -> None:
    """Profiles that inflate to gigabytes."""
    if await _index(request):
        return
    request.writer.write(whole(_bomb()))


async def has_huge_headers(request: Request) -> None:
    """Headers without an end."""
    request.writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(20_000):
        request.writer.write(b"X-Header-%d: " % number + b"y" * 500 + b"\r\n")
        await request.writer.drain()


async def is_wrong(request: Request) -> None:
    """Profiles that are of another kind, or damaged at random."""
    if await _index(request):
        return
    body = bytearray((RECORDED / random.choice(("heap", "goroutine", "mutex"))).with_suffix(".pb.gz").read_bytes())  # noqa: S311
    inflated = bytearray(zlib.decompress(bytes(body), 31))
    for _ in range(random.randint(0, 3)):  # noqa: S311
        inflated[random.randrange(len(inflated))] = random.randrange(256)  # noqa: S311
    request.writer.write(whole(bytes(inflated)))


async def restarts(request: Request) -> None:
    """A healthy program, of which a new build starts again and again."""
    number = int(time.time() / _BUILD_LASTS)
    started = number * _BUILD_LASTS
    if request.name == "metrics":
        request.writer.write(whole(made_page(started, 0.1 * (time.time() - started))))
    elif request.name in PROFILES and "debug" not in request.path:
        build = f"{request.target}-{number}"
        request.writer.write(whole(made_profile(request.name, "orders", build, time.time())))
    else:
        await healthy(request.path, request.writer)


async def renames(request: Request) -> None:
    """A healthy program with other function names at every fetch."""
    if request.name in PROFILES and "debug" not in request.path:
        names = f"v{random.getrandbits(60):x}"
        request.writer.write(whole(made_profile(request.name, names, "same", time.time())))
    else:
        await healthy(request.path, request.writer)


async def redirects(request: Request) -> None:
    """A redirect to itself."""
    request.writer.write(
        b"HTTP/1.1 302 Found\r\nLocation: /debug/pprof/%d\r\nContent-Length: 0\r\n\r\n" % time.time_ns()
    )


async def speaks_tls(request: Request) -> None:
    """The alert of a server that expects TLS; where TLS was agreed, an end without its alert."""
    if request.writer.get_extra_info("ssl_object") is None:
        request.writer.write(b"\x15\x03\x01\x00\x02\x02\x46")
        return
    request.writer.write(HTTP + b"\r\n" + _PIECE)
    await request.writer.drain()
    request.writer.transport.abort()


async def is_late(request: Request) -> None:
    """A healthy program whose replies begin late."""
    await asyncio.sleep(_LATE)
    await healthy(request.path, request.writer)


async def closes(request: Request) -> None:
    """A connection that is closed at once."""


HEALTHY: tuple[Answer, ...] = (is_healthy, renames, restarts)
FAULTS: dict[str, Answer] = {
    "cut": cuts_length,
    "cut-chunks": cuts_chunks,
    "endless": never_ends,
    "stall": stalls,
    "drip": drips,
    "silent": is_silent,
    "reset": resets,
    "5xx": fails,
    "html": is_html,
    "flood": floods,
    "garbage": is_garbage,
    "bomb": bombs,
    "headers": has_huge_headers,
    "wrong": is_wrong,
    "restart": restarts,
    "rename": renames,
    "redirect": redirects,
    "tls": speaks_tls,
    "late": is_late,
    "closed": closes,
}
"""Every fault by its name."""


async def _index(request: Request) -> bool:
    """Answer as a healthy program where the exporter asks whether the target is up; returns whether it did."""
    if request.name in ("", "cmdline", "metrics"):
        await healthy(request.path, request.writer)
        return True
    return False


async def _send(writer: asyncio.StreamWriter, size: int) -> None:
    """Send so many bytes, as fast as they are taken."""
    while size > 0:
        writer.write(_PIECE[:size])
        size -= len(_PIECE)
        await writer.drain()


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    stream = zlib.compressobj(wbits=31)
    head = stream.compress(bytes(2**20)) + stream.flush(zlib.Z_FULL_FLUSH)
    again = stream.compress(bytes(2**20)) + stream.flush(zlib.Z_FULL_FLUSH)
    return head + again * 4000
