"""A webhook that collects the notifications of Alertmanager."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert in one message."""

    status: str
    """`firing` or `resolved`."""
    labels: dict[str, str]
    annotations: dict[str, str]
    receiver: str

    @property
    def name(self) -> str:
        """The name of the alert."""
        return self.labels["alertname"]


@dataclass
class Receiver:
    """`url` takes messages; `received` are the alerts in them, in order of arrival."""

    url: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    received: list[Notification] = field(default_factory=list)

    def wait_for(self, holds: Callable[[list[Notification]], object], *, within: float = 60) -> None:
        """Wait until what has arrived satisfies the condition; after `within` seconds raise `AssertionError`."""
        deadline = time.monotonic() + within
        while not holds(list(self.received)):
            if time.monotonic() > deadline:
                had = "\n".join(f"{one.status} {one.labels}" for one in self.received)
                raise AssertionError(f"not within {within} s; received:\n{had}")
            time.sleep(0.2)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.messages.append(message)
            receiver.received += [
                Notification(alert["status"], alert["labels"], alert["annotations"], message["receiver"])
                for alert in message["alerts"]
            ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
