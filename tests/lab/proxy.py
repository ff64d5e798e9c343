"""A proxy before a target that stores every body which passes, so that other readers get the same bytes."""

from __future__ import annotations

import contextlib
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """`url` answers like the target; `bodies` are the complete 200 replies, by last part of the path.

    Those that were requested with `debug` are stored apart, under the same name with ` as text` behind it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: dict[str, list[bytes]] = defaultdict(list)


@contextlib.contextmanager
def recording(target: str) -> Iterator[Proxy]:
    """Run a proxy before the target at this URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                with urllib.request.urlopen(target + self.path, timeout=30) as reply:
                    status, headers, body = reply.status, reply.headers, reply.read()
            except urllib.error.HTTPError as refusal:
                status, headers, body = refusal.code, refusal.headers, refusal.read()
            if status == 200:
                path, _, query = self.path.partition("?")
                name = path.rsplit("/", 1)[-1]
                proxy.bodies[f"{name} as text" if "debug=" in query else name].append(body)
            self.send_response(status)
            for name in ("Content-Type", "X-Go-Pprof"):
                if headers[name]:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
