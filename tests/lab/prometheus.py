"""Prometheus and its tools, from Debian, on loopback."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Missing, free_port
from tests.lab.debian import Suite, unpacked

# Since Prometheus 3, Debian packs promtool apart.
_PACKAGES: dict[Suite, tuple[str, ...]] = {"stable": ("prometheus",), "sid": ("prometheus", "promtool")}


def promtool(suite: Suite = "stable") -> Path:
    """The `promtool` command."""
    return unpacked(_PACKAGES[suite], suite) / "usr/bin/promtool"


def check_metrics(text: str, suite: Suite = "stable") -> str:
    """What `promtool check metrics` has to say of an exposition: nothing, when all is well."""
    done = subprocess.run(
        [promtool(suite), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series that an instant query gives."""
        answer = self._get("query", query=expression)
        return [(series["metric"], float(series["value"][1])) for series in answer["result"]]

    def targets(self) -> list[dict[str, Any]]:
        """The active targets, as /api/v1/targets tells them."""
        found: list[dict[str, Any]] = self._get("targets")["activeTargets"]
        return found

    def wait_for(self, holds: Callable[[Prometheus], bool], *, within: float = 30) -> None:
        """Ask until the condition holds."""
        deadline = time.monotonic() + within
        while not holds(self):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s; targets: {self.targets()}")
            time.sleep(0.2)

    def _get(self, path: str, **query: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=10) as reply:
            return json.load(reply)["data"]


@contextlib.contextmanager
def running(config: dict[str, Any], suite: Suite = "stable") -> Iterator[Prometheus]:
    """Start a server with this configuration, wait until it is ready, and end it with the block."""
    program = unpacked(_PACKAGES[suite], suite) / "usr/bin/prometheus"
    server = Prometheus(f"http://127.0.0.1:{free_port()}")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        file = Path(folder) / "prometheus.yml"
        file.write_text(json.dumps(config))
        process = subprocess.Popen(
            [
                program,
                f"--config.file={file}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={server.url[7:]}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _ready(server, process):
                log.seek(0)
                raise Missing(f"Prometheus did not start: {log.read().decode(errors='replace')[-500:]}")
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def _ready(server: Prometheus, process: subprocess.Popen[bytes]) -> bool:
    for _ in range(150):
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"{server.url}/-/ready", timeout=5) as reply:
                if reply.status == 200:
                    return True
        except OSError:
            time.sleep(0.2)
    return False
