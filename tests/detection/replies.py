"""Ways to answer wrongly, for the gateway."""

from __future__ import annotations

import gzip
import itertools
import socket
import struct
import time
from dataclasses import replace

from tests.detection.gateway import Exchange, Gateway, Mode, Reply, late

LOGIN = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form method=post>...</form></body></html>\n"
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"
_PATIENCE = 60.0


def status(code: int, words: str = "", kind: str = _TEXT) -> Mode:
    """A status with these words."""
    return lambda exchange: exchange.send(Reply(code, kind, (words or f"{code}\n").encode()))


def body(content: bytes, kind: str = _BINARY) -> Mode:
    """A complete reply of status 200."""
    return lambda exchange: exchange.send(Reply(200, kind, content))


login_page = body(LOGIN, _HTML)
garbage = body(gzip.compress(bytes(range(7, 250)) * 20))
empty = body(b"")
json_page = body(b'{"status": "ok"}\n', "application/json")
not_https = status(400, "Client sent an HTTP request to an HTTPS server.\n")


def redirect(exchange: Exchange) -> None:
    """To the login page of another host."""
    exchange.handler.send_response(302)
    exchange.handler.send_header("Location", "http://login.invalid/")
    exchange.handler.send_header("Content-Length", "0")
    exchange.handler.end_headers()


def looking_up_modules(seconds: float) -> Mode:
    """Profiles come so much later; the texts of debug=1 do not, since they list no modules."""
    slow, fast = late(seconds), late(0)
    return lambda exchange: (fast if "debug=" in exchange.handler.path else slow)(exchange)


def reset(exchange: Exchange) -> None:
    """The connection is reset before a reply."""
    connection: socket.socket = exchange.handler.connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def cut(exchange: Exchange) -> None:
    """The connection ends in the middle of the body."""
    reply = exchange.ask()
    if reply is not None:
        exchange.send(replace(reply, body=reply.body[: len(reply.body) // 2]), length=len(reply.body))


def cut_gzip(exchange: Exchange) -> None:
    """Half of the body, as if it were all."""
    reply = exchange.ask()
    if reply is not None:
        exchange.send(replace(reply, body=reply.body[: len(reply.body) // 2]))


def one_in(count: int, mode: Mode) -> Mode:
    """Every so many requests of each name are answered in this mode, the others as the service does."""
    counters: dict[str, itertools.count[int]] = {}

    def sometimes(exchange: Exchange) -> None:
        number = next(counters.setdefault(exchange.name, itertools.count(1)))
        if number % count == 0:
            mode(exchange)
        else:
            exchange.send(exchange.ask())

    return sometimes


def drip_header(exchange: Exchange) -> None:
    """A header that never ends, a byte every tenth of a second."""
    _drip(exchange, b"HTTP/1.1 200 OK\r\nX-Patience: ")


def drip_body(exchange: Exchange) -> None:
    """A body that never ends, a byte every tenth of a second."""
    _drip(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n\x1f\x8b")


def _drip(exchange: Exchange, head: bytes) -> None:
    exchange.handler.wfile.write(head)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        exchange.handler.wfile.write(b"x")
        time.sleep(0.1)


def huge(exchange: Exchange) -> None:
    """More than the exporter reads."""
    size = 64 << 20
    exchange.send(Reply(200, _BINARY, b"\x1f\x8b"), length=size)
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        exchange.handler.wfile.write(block)


def while_profiled(gateway: Gateway, mode: Mode) -> Mode:
    """In this mode while a CPU profile runs, and for the profile itself as the service does."""

    def sometimes(exchange: Exchange) -> None:
        if gateway.profiling and exchange.name != "profile":
            mode(exchange)
        else:
            exchange.send(exchange.ask())

    return sometimes
