"""The targets of the soak: one process that answers on as many addresses of loopback as requested.

    python -m benchmarks.soak.targets --port PORT --tls-port PORT [--targets 300] [--faults all] [--seed 1] [--lasts 60]
        [--healthy 0.33]

What a target does changes at random times, on average every `--lasts` seconds: a third of the time it is healthy, and
otherwise it has one of its own four of the faults, as a program has its ways to fail and not all that there are. The
same seed gives the same course.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import ssl
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import trustme

from benchmarks.soak.faults import FAULTS, Answer, Request, is_healthy
from tests.lab import PROJECT, free_port

_REQUEST_WITHIN = 30.0
_FAULTS_EACH = 4
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - all addresses of loopback at once
_TLS_EACH = 10
"""One target of so many is reached over TLS."""


class Course:
    """What each target does when: a function of its number, the time and the seed."""

    def __init__(self, faults: Sequence[str], seed: int, lasts: float, healthy: float) -> None:
        self._faults = faults
        self._seed = seed
        self._lasts = lasts
        self._healthy = healthy

    def at(self, target: int, seconds: float) -> str:
        """The name of a fault, "" for a healthy target, so many seconds after the start."""
        # Targets change one after the other.
        always = random.Random(f"{self._seed}/{target}")  # noqa: S311 - here and below: the same for a seed
        shift = always.random()
        own = always.sample(self._faults, min(_FAULTS_EACH, len(self._faults)))
        chance = random.Random(f"{self._seed}/{target}/{int(seconds / self._lasts + shift)}")  # noqa: S311
        return "" if not own or chance.random() < self._healthy else chance.choice(own)


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets that run. Those with a number that `_TLS_EACH` divides are reached over TLS."""

    port: int
    tls_port: int
    targets: int

    def address(self, number: int) -> str:
        """Host and port of one of them, or its URL, counted from 0."""
        host = f"127.2.{number // 250}.{number % 250 + 1}"
        return f"{host}:{self.port}" if number % _TLS_EACH else f"https://{host}:{self.tls_port}/debug/pprof/"


@contextlib.contextmanager
def running(targets: int, faults: Collection[str], *, seed: int, lasts: float, healthy: float) -> Iterator[Targets]:
    """That many targets in a process of their own, until the block ends."""
    port, tls_port = free_port(), free_port()
    options = {"port": port, "tls-port": tls_port, "faults": ",".join(faults), "seed": seed, "lasts": lasts}
    options["healthy"] = healthy
    command = [
        sys.executable,
        "-m",
        "benchmarks.soak.targets",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        yield Targets(port, tls_port, targets)
    finally:
        process.terminate()
        process.wait(timeout=10)


class Server:
    """Answers the requests to all targets."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._began = time.monotonic()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            async with asyncio.timeout(_REQUEST_WITHIN):
                first = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split()
            path = first[1].removeprefix("/debug/pprof/").removeprefix("/")
            target = _number(writer.get_extra_info("sockname")[0])
            await self._answer(target)(Request(target, path, writer))
            await writer.drain()
        writer.close()

    def _answer(self, target: int) -> Answer:
        fault = self._course.at(target, time.monotonic() - self._began)
        return FAULTS[fault] if fault else is_healthy


def _number(host: str) -> int:
    *_, high, low = map(int, host.split("."))
    return high * 250 + low - 1


def certificate(host: str) -> ssl.SSLContext:
    """TLS for servers, from an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(host).configure_cert(context)
    return context


async def _serve(options: argparse.Namespace) -> None:
    faults = [name for name in options.faults.split(",") if name]
    server = Server(Course(faults, options.seed, options.lasts, options.healthy))
    plain = await asyncio.start_server(server.serve, _EVERYWHERE, options.port, backlog=4096)
    over_tls = await asyncio.start_server(
        server.serve,
        _EVERYWHERE,
        options.tls_port,
        backlog=4096,
        ssl=certificate("localhost"),
    )
    async with plain, over_tls:
        await asyncio.gather(plain.serve_forever(), over_tls.serve_forever())


def main() -> None:
    """Serve until the process is terminated."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.targets", description="Targets of the soak.")
    parser.add_argument("--port", type=int, required=True, help="port of the targets")
    parser.add_argument("--tls-port", type=int, required=True, help="port of those over TLS")
    parser.add_argument("--faults", default=",".join(FAULTS), help="comma-separated")
    parser.add_argument("--seed", type=int, default=1, help="of the course of faults")
    parser.add_argument("--lasts", type=float, default=60, help="seconds for which a target does the same")
    parser.add_argument("--healthy", type=float, default=0.33, help="share of the time for which a target is healthy")
    # It says so of each client that has gone.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
