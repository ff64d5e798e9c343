"""A small load on all programs: python -m tests.zoo.load, with their names and addresses on standard input.

A process of its own at a low priority, so that neither the programs nor who watches them wait for it. It ends when its
standard input does.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab import PROJECT
from tests.zoo.inhabitants import Inhabitant

NICENESS = 10
TIMES = 5.0
"""Rounds a second."""
_JSON = {"Content-Type": "application/json"}


@dataclass
class Client:
    """Requests to one program. Its connections stay open, as those of a service's clients do."""

    pprof: int
    service: int
    folder: str
    _open: dict[int, http.client.HTTPConnection] = field(default_factory=dict)
    nats: socket.socket | None = None

    def ask(self, method: str, path: str, body: Any = None, *, service: bool = False) -> bytes:
        """The reply of its port of pprof, or of its service. A body that is no text or bytes is sent as JSON."""
        port = self.service if service else self.pprof
        connection = self._open.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=10))
        sent = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        try:
            connection.request(method, path, sent, _JSON if sent is not body else {})
            with connection.getresponse() as reply:
                return reply.read()
        except (OSError, http.client.HTTPException):
            self._open.pop(port).close()
            raise


def _prometheus(client: Client, count: int) -> None:
    client.ask("GET", "/api/v1/query?query=count(up)")


def _alertmanager(client: Client, count: int) -> None:
    if count % 5 == 0:
        client.ask("POST", "/api/v2/alerts", [{"labels": {"alertname": "Zoo", "number": str(count % 50)}}])
    client.ask("GET", "/api/v2/alerts")


def _blackbox(client: Client, count: int) -> None:
    client.ask("GET", f"/probe?module=http_2xx&target=http://127.0.0.1:{client.pprof}/")


def _pushgateway(client: Client, count: int) -> None:
    client.ask("PUT", f"/metrics/job/zoo/instance/{count % 20}", f"animals {count}\n")


def _etcd(client: Client, count: int) -> None:
    key = base64.b64encode(f"key {count % 100}".encode()).decode()
    value = base64.b64encode(bytes(200)).decode()
    client.ask("POST", "/v3/kv/put", {"key": key, "value": value})
    client.ask("POST", "/v3/kv/range", {"key": key})


def _victoria(client: Client, count: int) -> None:
    client.ask("POST", "/api/v1/import/prometheus", "".join(f'zoo{{number="{i}"}} {count}\n' for i in range(50)))
    if count % 5 == 0:
        client.ask("GET", "/api/v1/query?query=sum(zoo)")


def _caddy(client: Client, count: int) -> None:
    client.ask("GET", "/", service=True)
    client.ask("GET", "/nothing", service=True)


def _nats(client: Client, count: int) -> None:
    if client.nats is None:
        client.nats = socket.create_connection(("127.0.0.1", client.service), timeout=10)
        client.nats.sendall(b'CONNECT {"verbose":false}\r\nSUB zoo 1\r\n')
    try:
        client.nats.sendall(b"PUB zoo 5\r\nhello\r\n" * 20)
        if b"PING" in client.nats.recv(65536):
            client.nats.sendall(b"PONG\r\n")
    except OSError:
        client.nats.close()
        client.nats = None
        raise


def _influxdb(client: Client, count: int) -> None:
    if count % 50 == 0:
        client.ask("POST", "/query?q=CREATE+DATABASE+zoo")
    client.ask("POST", "/write?db=zoo", "".join(f"zoo,number={i} value={count}\n" for i in range(20)))
    client.ask("GET", "/query?db=zoo&q=SELECT+count(value)+FROM+zoo")


def _rclone(client: Client, count: int) -> None:
    client.ask("POST", "/operations/list", {"fs": f"{client.folder}/files", "remote": ""})
    client.ask("POST", "/core/stats", {})


def _mtail(client: Client, count: int) -> None:
    with open(f"{client.folder}/log", "a", encoding="utf-8") as log:  # noqa: PTH123 - a new Path each time costs more
        log.write("a line of a log\n" * 20)


def _registry(client: Client, count: int) -> None:
    client.ask("GET", "/v2/", service=True)
    client.ask("GET", "/v2/_catalog", service=True)


def _syncthing(client: Client, count: int) -> None:
    client.ask("GET", "/", service=True)


REQUESTS: dict[str, Callable[[Client, int], None]] = {
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
    "blackbox_exporter": _blackbox,
    "pushgateway": _pushgateway,
    "etcd": _etcd,
    "victoria-metrics": _victoria,
    "caddy": _caddy,
    "nats": _nats,
    "influxdb": _influxdb,
    "rclone": _rclone,
    "mtail": _mtail,
    "registry": _registry,
    "syncthing": _syncthing,
}
"""By package. Those that are not here are scraped, or idle: gobgpd."""


@contextlib.contextmanager
def loaded(living: Sequence[Inhabitant]) -> Iterator[None]:
    """The load on these programs during the block."""
    told = [
        {
            "package": one.package.name,
            "pprof": one.place.pprof,
            "service": one.place.service,
            "folder": str(one.place.folder),
        }
        for one in living
    ]
    process = subprocess.Popen([sys.executable, "-m", "tests.zoo.load"], cwd=PROJECT, stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        yield
        assert process.poll() is None, f"the load ended with {process.returncode}"
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def main() -> None:
    """Send requests to the programs that standard input names."""
    os.nice(NICENESS)
    clients = [
        (REQUESTS[one["package"]], Client(one["pprof"], one["service"], one["folder"]))
        for one in json.loads(sys.stdin.readline())
        if one["package"] in REQUESTS
    ]
    threading.Thread(target=_until_told, daemon=True).start()
    for count in itertools.count():
        begun = time.monotonic()
        for request, client in clients:
            # A program that does not answer is for who watches it to tell.
            with contextlib.suppress(OSError, http.client.HTTPException):
                request(client, count)
            # Spread over the round: all at once is a load of another kind.
            time.sleep(max(0.0, 0.5 / TIMES / len(clients)))
        time.sleep(max(0.0, begun + 1 / TIMES - time.monotonic()))


def _until_told() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
