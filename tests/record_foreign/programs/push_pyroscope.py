"""Runs the busy program under the pyroscope agent and writes the body that it pushes into the folder given."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import busy  # type: ignore[import-not-found,unused-ignore]
import pyroscope  # type: ignore[import-not-found,unused-ignore]


class Sink(BaseHTTPRequestHandler):
    """Keeps every pushed body."""

    bodies: list[bytes] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def main(out: Path) -> None:
    """Push to a server of this program."""
    server = HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pyroscope.configure(
        application_name="shop",
        server_address=f"http://127.0.0.1:{server.server_port}",
        upload_interval=3,
        gil_only=False,
    )
    busy.main(4)
    pyroscope.shutdown()
    server.shutdown()
    (out / "pyroscope.push").write_bytes(max(Sink.bodies, key=len))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
