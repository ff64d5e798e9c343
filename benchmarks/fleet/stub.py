"""The targets: one small Go program that replays files on as many addresses of loopback as requested."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.lab import exclusive, free_port, go, run
from tests.recorded import RECORDINGS

SOURCE = Path(__file__).parent / "stub" / "main.go"


@dataclass(frozen=True, slots=True)
class Stub:
    """A running stub."""

    port: int
    targets: int
    process: psutil.Process

    def address(self, number: int) -> str:
        """Host and port of one of its targets, counted from 0."""
        return f"127.1.{number // 250}.{number % 250 + 1}:{self.port}"

    def request_counts(self) -> dict[str, int]:
        """Requests of each path so far, over all targets; each with its query."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/counts", timeout=10) as reply:
            counts: dict[str, int] = json.load(reply)
        return counts

    def cpu(self) -> float:
        """CPU seconds so far."""
        times = self.process.cpu_times()
        return times.user + times.system


def build(version: str = go.VERSIONS[-1]) -> Path:
    """Build the stub; nothing is fetched besides Go itself."""
    command = go.toolchain(version)
    with exclusive("fleet-stub") as folder:
        folder.mkdir(exist_ok=True)
        program, stamp = folder / "stub", folder / "source.sha256"
        digest = hashlib.sha256(SOURCE.read_bytes() + version.encode()).hexdigest()
        if not program.exists() or not stamp.exists() or stamp.read_text() != digest:
            run([command, "build", "-o", program, SOURCE], env=go._environment({}))  # noqa: SLF001
            stamp.write_text(digest)
    return program


@contextlib.contextmanager
def running(targets: int, recordings: Path = RECORDINGS) -> Iterator[Stub]:
    """That many targets, until the block ends; they replay the programs of the folder in turns."""
    port = free_port()
    command = [str(build()), f"-recordings={recordings}", f"-targets={targets}", f"-port={port}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    try:
        stub = Stub(port, targets, psutil.Process(process.pid))
        for _ in range(100):
            with contextlib.suppress(OSError):
                stub.request_counts()
                break
            time.sleep(0.1)
        yield stub
    finally:
        process.terminate()
        process.wait(timeout=10)
