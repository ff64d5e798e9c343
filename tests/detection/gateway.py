"""A proxy between the exporter and a service that answers wrongly on command, or changes the profiles on their way."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

from tests.lab import free_port
from tests.lab.rewrite import Change
from tests.proto.profile_pb2 import Profile

PPROF, EVERYTHING = "pprof/*", "*"
"""All paths of pprof, and all paths of the server."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, to be answered by a mode."""

    name: str
    """Last part of its path; `` for the index page."""
    handler: BaseHTTPRequestHandler
    ask: Callable[[], Reply | None]
    """Asks the service; None if the client has gone before the reply came."""

    def send(self, reply: Reply | None, *, length: int | None = None) -> None:
        """Send a reply. `length` is what the header says, if that is not true."""
        if reply is None:
            return
        self.handler.send_response(reply.status)
        self.handler.send_header("Content-Type", reply.content_type)
        self.handler.send_header("X-Content-Type-Options", "nosniff")
        self.handler.send_header("Content-Length", str(len(reply.body) if length is None else length))
        self.handler.end_headers()
        self.handler.wfile.write(reply.body)
        self.handler.wfile.flush()


Mode = Callable[[Exchange], None]


@dataclass
class Gateway:
    """Answers at `address` like one of the services, in turns, but for what is changed here."""

    services: tuple[str, ...]
    """Their addresses."""
    address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    profiling: int = 0
    """CPU profiles that run now."""
    _modes: dict[str, Mode] = field(default_factory=dict)
    _changes: dict[str, Change] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    _turns: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lead_to(self.services)

    def lead_to(self, services: Iterable[str]) -> None:
        """Send requests to these from now on."""
        self._turns = cycle(tuple(services))

    def answer(self, mode: Mode, *names: str) -> None:
        """Answer requests with these names in this mode."""
        self._modes |= dict.fromkeys(names, mode)

    def change(self, change: Change, *names: str) -> None:
        """Let every profile with these names pass through `change`."""
        self._changes |= dict.fromkeys(names, change)

    def heal(self) -> None:
        """Answer as the services do."""
        self._modes, self._changes = {}, {}

    def open(self) -> None:
        """Listen."""
        if self._server is None:
            host, _, port = self.address.partition(":")
            server = _Server((host, int(port)), _handler(self))
            self._server = server
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Listen no more: connections are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def mode_of(self, path: str, name: str) -> Mode | None:
        """How to answer a request."""
        of_pprof = self._modes.get(PPROF) if "/debug/pprof/" in path else None
        own = self._modes.get(name) if "/debug/pprof/" in path else None
        return own or of_pprof or self._modes.get(EVERYTHING)

    def ask(self, path: str, client: BaseHTTPRequestHandler) -> Reply | None:
        """Ask a service; None if the client goes before the reply comes."""
        upstream = http.client.HTTPConnection(next(self._turns), timeout=60)
        of_cpu = "/profile?" in path
        self.profiling += of_cpu
        try:
            upstream.request("GET", path)
            # The service ends a profile whose client has gone.
            ready, _, _ = select.select([upstream.sock, client.connection], [], [], 60)
            if upstream.sock not in ready:
                return None
            reply = upstream.getresponse()
            kind = reply.headers["Content-Type"] or "application/octet-stream"
            return self._changed(path, Reply(reply.status, kind, reply.read()))
        finally:
            upstream.close()
            self.profiling -= of_cpu

    def _changed(self, path: str, reply: Reply) -> Reply:
        parts = urlsplit(path)
        change = self._changes.get(parts.path.rsplit("/", 1)[-1])
        if change is None or "debug" in parse_qs(parts.query) or not reply.body.startswith(_GZIP):
            return reply
        profile = Profile.FromString(gzip.decompress(reply.body))
        change(profile)
        return Reply(reply.status, reply.content_type, gzip.compress(profile.SerializeToString(), compresslevel=1))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go, and services are restarted."""


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = urlsplit(self.path).path.rsplit("/", 1)[-1]
            exchange = Exchange(name, self, lambda: gateway.ask(self.path, self))
            mode = gateway.mode_of(self.path, name)
            with contextlib.suppress(OSError, http.client.HTTPException):
                if mode is None:
                    exchange.send(exchange.ask())
                else:
                    mode(exchange)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def late(seconds: float) -> Mode:
    """The reply comes so much later."""

    def mode(exchange: Exchange) -> None:
        reply = exchange.ask()
        time.sleep(seconds)
        exchange.send(reply)

    return mode
