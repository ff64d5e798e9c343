"""What one request costs the exporter, and what the least is that asyncio needs for it.

    python -m benchmarks.request [--targets 50] [--rounds 20]

Both request the command line of the targets of `benchmarks.fleet`, all at once, each with a connection of its own. The
least is a protocol that sends one text and takes what comes until the server closes. Figures are CPU time of this
process, user and system.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import time
from collections.abc import Awaitable, Callable

from yarl import URL

from benchmarks.fleet import stub
from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape.client.fetcher import Fetcher

PATH = "/debug/pprof/cmdline"
TIMEOUT = 10.0
MAX_BYTES = 2**20
RUNS = 5


class Least(asyncio.Protocol):
    """Sends a request and takes the reply."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._reply = bytearray()
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the reply."""
        self._reply += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the reply."""
        if self.done.done():
            return
        if exc is None:
            self.done.set_result(bytes(self._reply))
        else:
            self.done.set_exception(exc)


async def least(host: str, port: int) -> None:
    """One request with as little as asyncio needs."""
    loop = asyncio.get_running_loop()
    connecting = socket.socket()
    connecting.setblocking(False)
    await loop.sock_connect(connecting, (host, port))
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
    _, protocol = await loop.create_connection(lambda: Least(request), sock=connecting)
    async with asyncio.timeout(TIMEOUT):
        reply = await protocol.done
    assert reply.startswith(b"HTTP/1.1 200")  # noqa: S101


async def cpu_of(request: Callable[[str], Awaitable[object]], hosts: list[str], rounds: int) -> float:
    """CPU milliseconds of one request."""
    before = time.process_time()
    for _ in range(rounds):
        await asyncio.gather(*(request(host) for host in hosts))
    return (time.process_time() - before) / rounds / len(hosts) * 1000


async def measure(targets: stub.Stub, rounds: int) -> None:
    """Measure both in turns, and print the medians."""
    hosts = [targets.address(number).rpartition(":")[0] for number in range(targets.targets)]
    fetcher = Fetcher(SystemClock(), max_bytes=MAX_BYTES)
    ways: dict[str, Callable[[str], Awaitable[object]]] = {
        "a request of the exporter": lambda host: fetcher.get(
            URL.build(scheme="http", host=host, port=targets.port, path=PATH), timeout=TIMEOUT
        ),
        "the least that asyncio needs": lambda host: least(host, targets.port),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            took[name].append(await cpu_of(way, hosts, rounds))
    for name, runs in took.items():
        print(f"{name:<32}{statistics.median(runs):8.3f} ms ({min(runs):.3f} to {max(runs):.3f})")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request", description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=50, help="how many are requested at once")
    parser.add_argument("--rounds", type=int, default=20, help="how often, for one figure")
    options = parser.parse_args()
    with stub.running(options.targets) as targets:
        asyncio.run(measure(targets, options.rounds))


if __name__ == "__main__":
    main()
