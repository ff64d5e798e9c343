"""What starting costs: CPU seconds and memory of each command, of serving until it is ready, and of one sidecar.

    python -m benchmarks.startup [--runs 7] [--seconds 60] [--json]

CPU seconds are user and system time, the median of several runs (smallest in brackets), with bytecode that is there
already. Memory is the resident set: the highest one of a command, and that of a server at the end of its row. The
sidecar watches a target that replays recorded profiles, in a process of its own, and answers /metrics every 5 seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import psutil

from tests.lab import free_port

COMMANDS: dict[str, list[str]] = {
    "--version": ["--version"],
    "--help": ["--help"],
    "an unknown flag": ["--nope"],
    "a bad target": ["ftp://shop"],
    "a target listed twice": ["shop:6060", "shop:6060"],
    "an unknown profile": ["--scrape.profiles=heaps", "shop:6060"],
    "a window that does not fit": ["--scrape.cpu-interval=5s", "shop:6060"],
    "no such file: inspect": ["inspect", "/nowhere/heap.pb.gz"],
    "no such file: --config.file": ["--config.file=/nowhere/config.yml"],
    "check --help": ["check", "--help"],
    "capture --help": ["capture", "--help"],
    "compare --help": ["compare", "--help"],
    "demo --help": ["demo", "--help"],
    "healthcheck --help": ["healthcheck", "--help"],
}
SCRAPE_EVERY = 5.0
WITHIN = 60.0
# Linux counts the memory of the parent as well (fs/exec.c, setmax_mm_hiwater_rss), so that the parent is a bare Python.
_RUN = """\
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
used = os.wait4(pid, 0)[2]
print()
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, median and smallest, and MiB of resident memory."""

    what: str
    cpu: float
    least: float
    memory: float


def command(what: str, arguments: Sequence[str], runs: int) -> Cost:
    """A command that ends by itself."""
    cpu, memory = [], []
    for _ in range(runs):
        line = [sys.executable, "-S", "-c", _RUN, sys.executable, "-m", "pprof_exporter", *arguments]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)  # noqa: S603 - ours
        seconds, kib = map(float, done.stdout.split()[-2:])
        cpu.append(seconds)
        memory.append(kib * 1024 / MIB)
    return Cost(what, statistics.median(cpu), min(cpu), statistics.median(memory))


def serving(what: str, arguments: Sequence[str], runs: int, meanwhile: Callable[[int], None] | None = None) -> Cost:
    """A server until it is ready, or until `meanwhile` has ended, which gets its port."""
    cpu, memory = [], []
    for _ in range(runs):
        port = free_port()
        flags = [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *arguments]
        with subprocess.Popen([sys.executable, "-m", "pprof_exporter", *flags]) as process:  # noqa: S603 - ours
            watched = psutil.Process(process.pid)
            until_ready(port, process)
            if meanwhile is not None:
                meanwhile(port)
            times = watched.cpu_times()
            cpu.append(times.user + times.system)
            memory.append(watched.memory_info().rss / MIB)
            process.terminate()
    return Cost(what, statistics.median(cpu), min(cpu), statistics.median(memory))


def until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask until it answers."""
    deadline = time.monotonic() + WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            get(port, "/-/ready")
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("it did not become ready")


def get(port: int, path: str) -> None:
    """One request, as Prometheus makes it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        connection.getresponse().read()
    finally:
        connection.close()


def scraped(seconds: float) -> Callable[[int], None]:
    """Scrape for this long."""

    def scrape(port: int) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(SCRAPE_EVERY, left))
            get(port, "/metrics")

    return scrape


def replay(port: int) -> None:
    """A target, until it is terminated."""
    from aiohttp import web  # noqa: PLC0415 - in a process of its own

    from pprof_exporter.demo import Story, replay_app  # noqa: PLC0415

    web.run_app(replay_app("linux", Story(time.time(), 20)), host="127.0.0.1", port=port, print=None)


def measured(runs: int, seconds: float) -> list[Cost]:
    """Every row."""
    costs = [command(what, arguments, runs) for what, arguments in COMMANDS.items()]
    costs.append(serving("serving, until /-/ready answers", [], runs))
    port = free_port()
    target = multiprocessing.get_context("spawn").Process(target=replay, args=(port,), daemon=True)
    target.start()
    try:
        costs.append(serving(f"a sidecar, after {seconds:g} s", [f"127.0.0.1:{port}"], 1, scraped(seconds)))
    finally:
        target.terminate()
        target.join()
    return costs


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command("", ["--version"], 1)
    serving("", [], 1)  # From now on there is bytecode.
    costs = measured(options.runs, options.seconds)
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs], indent=2))
        return
    print(f"{'':<34} {'CPU s':>7} {'(least)':>8} {'MiB':>6}")
    for cost in costs:
        print(f"{cost.what:<34} {cost.cpu:7.3f} ({cost.least:.3f}) {cost.memory:6.1f}")


if __name__ == "__main__":
    main()
