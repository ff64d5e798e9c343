"""A proxy before a target that delays replies or changes the profiles in them, for what no program does on command."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.proto.profile_pb2 import Profile

Change = Callable[[Profile], None]
"""Changes a profile in place."""

SNAPSHOTS = ("heap", "allocs", "goroutine", "goroutineleak", "block", "mutex", "threadcreate")
PROFILES = ("profile", *SNAPSHOTS)
"""Last parts of the paths of all that is profile.proto."""

_GZIP = b"\x1f\x8b"


class Rewriter:
    """`url` answers like the target, but for what is changed here.

    A reply to a request with `debug` is no profile, and passes unchanged.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._changes: dict[str, Change] = {}
        self._delays: dict[str, float] = {}
        self._stall = 0.0
        self.profiling = 0
        """CPU profiles that run now."""

    def change(self, change: Change, *paths: str) -> None:
        """Let every profile from these paths pass through `change`."""
        self._changes |= dict.fromkeys(paths, change)

    def delay(self, seconds: float, *paths: str) -> None:
        """Send replies from these paths so much later."""
        self._delays |= dict.fromkeys(paths, seconds)

    def stall_while_profiled(self, seconds: float) -> None:
        """Send every other reply so much later while a CPU profile runs."""
        self._stall = seconds

    def heal(self) -> None:
        """Change and delay nothing any more."""
        self._changes, self._delays, self._stall = {}, {}, 0.0

    def _pass(self, path: str, body: bytes) -> bytes:
        """What to send instead of a complete reply."""
        parts = urlsplit(path)
        name = parts.path.rsplit("/", 1)[-1]
        if self.profiling and name != "profile":
            time.sleep(self._stall)
        if "debug" in parse_qs(parts.query):
            return body
        time.sleep(self._delays.get(name, 0))
        change = self._changes.get(name)
        if change is None or not body.startswith(_GZIP):
            return body
        profile = Profile.FromString(gzip.decompress(body))
        change(profile)
        return gzip.compress(profile.SerializeToString())


@contextlib.contextmanager
def rewriting(target: str) -> Iterator[Rewriter]:
    """Run such a proxy before the target at this URL."""
    host = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            upstream = http.client.HTTPConnection(host, timeout=60)
            of_cpu = "/profile?" in self.path
            rewriter.profiling += of_cpu
            try:
                upstream.request("GET", self.path)
                if not _answers(upstream.sock, before=self.connection):
                    return
                reply = upstream.getresponse()
                body = reply.read()
            finally:
                # The target ends a profile whose client has gone.
                upstream.close()
                rewriter.profiling -= of_cpu
            if reply.status == http.HTTPStatus.OK:
                body = rewriter._pass(self.path, body)
            with contextlib.suppress(ConnectionError):
                self._answer(reply, body)

        def _answer(self, reply: http.client.HTTPResponse, body: bytes) -> None:
            self.send_response(reply.status)
            for name in ("Content-Type", "X-Go-Pprof"):
                if reply.headers[name]:
                    self.send_header(name, reply.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    rewriter = Rewriter(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield rewriter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answers(upstream: socket.socket, *, before: socket.socket) -> bool:
    """Wait for the first byte of a reply; False if the client goes before it comes."""
    ready, _, _ = select.select([upstream, before], [], [], 60)
    return upstream in ready
