"""Receivers of notifications: a mail server and a chat, on loopback, for what Alertmanager sends."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

M = TypeVar("M")


@dataclass
class Inbox(Generic[M]):
    """`address` is HOST:PORT, `messages` what has arrived, in that order."""

    address: str
    messages: list[M] = field(default_factory=list)

    def first(self, *, within: float = 30) -> M:
        """The first message, once it is there; after `within` seconds raise `AssertionError`."""
        deadline = time.monotonic() + within
        while not self.messages:
            assert time.monotonic() < deadline, f"no message within {within} s"
            time.sleep(0.1)
        return self.messages[0]


@contextlib.contextmanager
def chat() -> Iterator[Inbox[dict[str, Any]]]:
    """A webhook that takes Slack's messages, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox: Inbox[dict[str, Any]] = Inbox(f"127.0.0.1:{server.server_port}")
    with _serving(server):
        yield inbox


@contextlib.contextmanager
def mailbox() -> Iterator[Inbox[EmailMessage]]:
    """A mail server without TLS and passwords that takes everything, until the block ends."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 mailbox")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.say("354 go on")
                    self.take()
                self.say("221 bye" if word == b"QUIT" else "250 ok")
                if word == b"QUIT":
                    return

        def say(self, reply: str) -> None:
            self.wfile.write(f"{reply}\r\n".encode())

        def take(self) -> None:
            """Read a message up to a line that is a dot; lines that start with one have another (RFC 5321, 4.5.2)."""
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b".") else line)
            inbox.messages.append(email.message_from_bytes(b"".join(lines), EmailMessage, policy=email.policy.default))

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    inbox: Inbox[EmailMessage] = Inbox(f"127.0.0.1:{server.server_address[1]}")
    with _serving(server):
        yield inbox


@contextlib.contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
