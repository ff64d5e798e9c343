"""Prometheus, Alertmanager and their tools, from Debian, on loopback.

Each comes in two generations: the one that this machine's release has, and Debian's newest.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from tests.lab import PATIENCE, free_port
from tests.lab.debian import Suite, unpacked

T = TypeVar("T")


def promtool(generation: Suite = "stable") -> Path:
    """The `promtool` command."""
    # Since Prometheus 3, Debian packs promtool apart.
    return _program("prometheus" if generation == "stable" else "promtool", "promtool", generation)


def prometheus(generation: Suite = "stable") -> Path:
    """The `prometheus` command."""
    return _program("prometheus", "prometheus", generation)


def amtool(generation: Suite = "stable") -> Path:
    """The `amtool` command."""
    return _program("prometheus-alertmanager", "amtool", generation)


def alertmanager(generation: Suite = "stable") -> Path:
    """The `alertmanager` command, which Debian calls `prometheus-alertmanager`."""
    return _program("prometheus-alertmanager", "prometheus-alertmanager", generation)


def check_metrics(text: str, generation: Suite = "stable") -> str:
    """What `promtool check metrics` has to say of an exposition in the text format: "" when all is well."""
    command = [str(promtool(generation)), "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = (done.stdout + done.stderr).strip()
    return said or (f"promtool exited with {done.returncode}" if done.returncode else "")


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of the instant vector that an expression gives, `at` a Unix time or now.

        Raises `ValueError` with the server's words for an expression that it refuses.
        """
        answer = self.api("query", query=expression, **({} if at is None else {"time": repr(at)}))
        if answer["resultType"] != "vector":
            raise ValueError(f"{expression} gives a {answer['resultType']}, not a vector")
        return [(series["metric"], float(series["value"][1])) for series in answer["result"]]

    def targets(self) -> list[dict[str, Any]]:
        """The active targets, as /api/v1/targets lists them."""
        found: list[dict[str, Any]] = self.api("targets")["activeTargets"]
        return found

    def wait_for(self, predicate: Callable[[Prometheus], T], timeout: float = 30) -> T:
        """Poll until the condition holds, and return its value.

        After `timeout` seconds raise `AssertionError` with the targets' state.
        """
        deadline = time.monotonic() + timeout
        while not (found := predicate(self)):
            if time.monotonic() > deadline:
                states = [(target["scrapeUrl"], target["health"], target["lastError"]) for target in self.targets()]
                raise AssertionError(f"not within {timeout} s; targets: {states}")
            time.sleep(0.1)
        return found

    def api(self, path: str, **parameters: str) -> Any:
        """The `data` of /api/v1/PATH; raises `ValueError` with the server's words for what it refuses."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as refused:
            with refused:
                raise ValueError(f"{path} {parameters}: {refused.read().decode(errors='replace')}") from refused


@contextlib.contextmanager
def running(
    config: dict[str, Any] | str, generation: Suite = "stable", *, data: Path | None = None
) -> Iterator[Prometheus]:
    """Start a server with this configuration (YAML, or what YAML says), wait until it is ready, end it with the block.

    Paths in the configuration are absolute, or relative to a folder that holds nothing else. `data` is a folder with
    blocks to start with. Raises `RuntimeError` with the server's last words when it does not start.
    """
    program = prometheus(generation)
    server = Prometheus(f"http://127.0.0.1:{free_port()}")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        file = Path(folder) / "prometheus.yml"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        command = [
            str(program),
            f"--config.file={file}",
            f"--storage.tsdb.path={data or Path(folder) / 'data'}",
            f"--web.listen-address={server.url.removeprefix('http://')}",
        ]
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(server.url, process, log)
            yield server
        finally:
            end(process)


def _program(package: str, name: str, generation: Suite) -> Path:
    return unpacked([package], generation) / "usr" / "bin" / name


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """Wait for a server that was just started; raise `RuntimeError` with its last words when it does not come."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        # It refuses the connection at first, and answers 503 while it loads what it has stored.
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return
        time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"{url} did not come up: {log.read().decode(errors='replace')[-1000:]}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a program in order; kill it if that takes more than half a minute."""
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
