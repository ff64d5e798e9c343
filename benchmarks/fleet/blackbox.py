"""Debian's prometheus-blackbox-exporter, and a driver that has it probe what our exporter fetched, as often."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from benchmarks.fleet.stub import Stub
from tests.lab import free_port
from tests.lab.debian import unpacked

_CONFIG = {
    "modules": {"pprof": {"prober": "http", "timeout": "15s", "http": {"valid_status_codes": [200, 404]}}},
}


@dataclass(frozen=True, slots=True)
class Probed:
    """How many probes were made and succeeded, and what they cost."""

    probes: int
    succeeded: int
    seconds: float
    cpu: float


@contextlib.contextmanager
def _running() -> Iterator[tuple[str, psutil.Process]]:
    program = unpacked(["prometheus-blackbox-exporter"]) / "usr" / "bin" / "prometheus-blackbox-exporter"
    url = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "blackbox.yml"
        config.write_text(json.dumps(_CONFIG))
        command = [str(program), f"--config.file={config}", f"--web.listen-address={url[7:]}", "--log.level=error"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/healthy", timeout=5):  # noqa: S310
                    break
                time.sleep(0.1)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=10)


def measure(stub: Stub, mix: dict[str, float], seconds: float) -> Probed:
    """Have it probe for that long; `mix` is fetches per second of each path, over all targets."""
    with _running() as (url, process):
        return asyncio.run(_drive(stub, mix, seconds, url, process))


async def _drive(stub: Stub, mix: dict[str, float], seconds: float, url: str, process: psutil.Process) -> Probed:
    answers: list[bool] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def probe(target: str) -> None:
            query = {"target": target, "module": "pprof"}
            async with session.get(f"{url}/probe", params=query) as reply:
                answers.append(b"\nprobe_success 1\n" in await reply.read())

        async def pace(path: str, rate: float, group: asyncio.TaskGroup) -> None:
            began = time.monotonic()
            for number in itertools.count():
                due = began + number / rate
                if due > began + seconds:
                    return
                await asyncio.sleep(due - time.monotonic())
                group.create_task(probe(f"http://{stub.address(number % stub.targets)}{path}"))

        began, before = time.monotonic(), _cpu(process)
        async with asyncio.TaskGroup() as group:
            for path, rate in mix.items():
                group.create_task(pace(path, rate, group))
        return Probed(len(answers), sum(answers), time.monotonic() - began, _cpu(process) - before)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
