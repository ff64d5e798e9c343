"""What probes cost the exporter: many targets, probed at a steady rate as Prometheus does.

    python -m benchmarks.probe_rate --targets 1000 --rate 100 --seconds 60

A stub in a process of its own answers as a Go program does, with recorded profiles, on as many addresses of loopback as
there are targets (127.0.0.0/8, Linux). The targets are probed in turn, so that every one comes at its interval.
Printed are replies and their latencies, and CPU and memory of the exporter without the stub.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import aiohttp
import psutil
from aiohttp import web

from tests.conftest import RECORDINGS
from tests.lab import exporter, free_port

FOLDER = RECORDINGS / "linux-go1.27.3"
BODIES = {"": "index.html", "profile": "cpu_burn1.pb.gz", "cmdline": "cmdline.txt"}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100, help="probes a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--module", default="default")
    parser.add_argument("--stub", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stub:
        web.run_app(stub(), host="0.0.0.0", port=options.stub, print=None, access_log=None)  # noqa: S104
        return
    with stub_running() as port, exporter.running() as program:
        asyncio.run(measure(program, port, options))


async def measure(program: exporter.Exporter, port: int, options: argparse.Namespace) -> None:
    """Probe at the rate, and print what came of it."""
    process = psutil.Process(program.process.pid)
    took: list[float] = []
    statuses: Counter[int | str] = Counter()
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "Accept-Encoding": "gzip"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers, auto_decompress=False) as session:

        async def probe(number: int) -> None:
            address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}:{port}"
            began = time.perf_counter()
            try:
                timeout = aiohttp.ClientTimeout(total=10)
                query = {"target": address, "module": options.module}
                async with session.get(f"{program.url}/probe", params=query, timeout=timeout) as reply:
                    await reply.read()
                    statuses[reply.status] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                statuses[type(error).__name__] += 1
            took.append(time.perf_counter() - began)

        cpu, began = process.cpu_times(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for i in range(int(options.rate * options.seconds)):
                await asyncio.sleep(max(0.0, began + i / options.rate - time.perf_counter()))
                group.create_task(probe(i % options.targets))
        passed, after = time.perf_counter() - began, process.cpu_times()
    used = after.user + after.system - cpu.user - cpu.system
    cuts = statistics.quantiles(took, n=100)
    print(f"{len(took)} probes of {options.targets} targets in {passed:.0f} s, module {options.module}")
    print(f"replies: {', '.join(f'{count} x {status}' for status, count in statuses.items())}")
    print(f"latency: p50 {cuts[49]:.3f} s, p95 {cuts[94]:.3f} s, p99 {cuts[98]:.3f} s")
    memory = process.memory_info().rss / 2**20
    print(f"exporter: {used / passed:.2f} of a core, {1000 * used / len(took):.1f} ms a probe, {memory:.0f} MiB")
    print(f"lines in its log: {len(program.log.splitlines())}")


@contextlib.contextmanager
def stub_running() -> Iterator[int]:
    """The port of a stub that runs within the block, as gently as the system lets it."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.probe_rate", "--stub", str(port)]
    process = subprocess.Popen(command)  # noqa: S603 - this very program
    try:
        time.sleep(2)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def stub() -> web.Application:
    """Recorded replies; a CPU profile takes the seconds that its request states."""
    bodies: dict[str, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "profile":
            await asyncio.sleep(float(request.query["seconds"]))
        debug = request.query.get("debug")
        file = f"{name}_debug1.txt" if debug else BODIES.get(name, f"{name}.pb.gz")
        if file not in bodies:
            path = FOLDER / file
            if not path.exists():
                raise web.HTTPNotFound
            bodies[file] = path.read_bytes()
        kind = "text/html; charset=utf-8" if not name else "application/octet-stream"
        return web.Response(body=bodies[file], headers={"Content-Type": kind})

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=(FOLDER / "metrics.txt").read_bytes(), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/debug/pprof/{name:.*}", answer)
    return app


if __name__ == "__main__":
    main()
