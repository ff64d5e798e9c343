"""What finding the process behind a port costs the exporter on a machine with many sockets.

    python -m benchmarks.local_processes [--sockets 20000] [--profiles 1000]

Processes of their own hold so many sockets, connections to themselves. Figures are CPU time of this process, user and
system.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil

from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners
from pprof_exporter.scrape.target.listeners import ConnectionListeners, Listeners
from pprof_exporter.scrape.target.local_process import LocalProcesses

HOST = "127.0.0.1"
# Both ends of a connection are a socket and a descriptor. Ports of clients are few: one listener takes so many.
PER_LISTENER = 5000
SPARE_DESCRIPTORS = 100
HOLDER = """
import socket, sys
sockets = []
for number in range(max(1, int(sys.argv[1]) // 2)):
    if number % int(sys.argv[2]) == 0:
        sockets.append(server := socket.create_server(("127.0.0.1", 0), backlog=128))
    client = socket.create_connection(server.getsockname())
    sockets += [client, server.accept()[0]]
print(server.getsockname()[1], len(sockets), flush=True)
sys.stdin.read()
"""
INTERVAL = 60.0
"""Seconds between two CPU profiles of a target."""


class SteppedClock(SystemClock):
    """A clock that the benchmark sets, so that an hour of profiles takes no hour."""

    def __init__(self) -> None:
        self.at = 0.0

    def steady(self) -> float:
        """Seconds of this clock."""
        return self.at


@contextlib.contextmanager
def holding(sockets: int) -> Iterator[tuple[int, int]]:
    """Processes with so many sockets, until the block ends: a port on which one listens, and how many they have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port, held = 0, 0
    with contextlib.ExitStack() as stack:
        while held < sockets:
            wanted = min(sockets - held, most - SPARE_DESCRIPTORS)
            process = stack.enter_context(holder(wanted))
            assert process.stdout  # noqa: S101
            port, more = (int(word) for word in process.stdout.readline().split())
            held += more
        yield port, held


@contextlib.contextmanager
def holder(sockets: int) -> Iterator[subprocess.Popen[str]]:
    """One process with so many sockets."""
    command = [sys.executable, "-S", "-c", HOLDER, str(sockets), str(PER_LISTENER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        yield process
        process.kill()


def cpu_of(work: Callable[[], object], times: int) -> float:
    """CPU milliseconds of one call."""
    before = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - before) / times * 1000


def row(what: str, milliseconds: float) -> None:
    """Print one line of the table."""
    print(f"{what:<64}{milliseconds:10.3f}", flush=True)


def hour_of_profiles(port: int, profiles: int, make: Callable[[SteppedClock], Listeners]) -> float:
    """CPU milliseconds of finding the process for one of so many profiles, a minute apart."""
    clock = SteppedClock()
    processes = LocalProcesses(clock, make(clock))

    async def find() -> None:
        for _ in range(profiles):
            assert await processes.find(HOST, port) is not None  # noqa: S101
            clock.at += INTERVAL

    return cpu_of(lambda: asyncio.run(find()), 1) / profiles


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_processes", description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=20_000, help="how many other processes hold")
    parser.add_argument("--profiles", type=int, default=1000, help="of how many profiles the mean is")
    options = parser.parse_args()
    with holding(options.sockets) as (port, held):
        print(f"{held} sockets in other processes")
        print(f"{'CPU milliseconds':<64}")
        row("list of all connections (psutil.net_connections)", cpu_of(lambda: psutil.net_connections("tcp"), 5))
        clock = SteppedClock()
        row("a new target: listening sockets, search of descriptors", cpu_of(lambda: first(clock, port), 5))
        known = LinuxListeners(clock)
        known.owner(HOST, port, fresh=False)
        row("the same port again: listening sockets", cpu_of(lambda: known.owner(HOST, port, fresh=True), 200))
        row("a port on which nothing listens", cpu_of(lambda: known.owner(HOST, 1, fresh=False), 200))
        row("the process for one profile, on Linux", hour_of_profiles(port, options.profiles, LinuxListeners))
        row("the same elsewhere", hour_of_profiles(port, options.profiles, ConnectionListeners))


def first(clock: SteppedClock, port: int) -> None:
    """Look up a port for the first time."""
    assert LinuxListeners(clock).owner(HOST, port, fresh=False) is not None  # noqa: S101


if __name__ == "__main__":
    main()
