"""A running Alertmanager, of either generation, on loopback and alone."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import exclusive, free_port
from tests.lab.debian import Suite
from tests.lab.prometheus import alertmanager, end, wait_until_ready

_OWN_TEMPLATES = "usr/share/prometheus/alertmanager"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A running server."""

    url: str

    def post(self, alerts: list[dict[str, Any]]) -> None:
        """Give it alerts as Prometheus does: `labels`, `annotations`, perhaps `startsAt` and `endsAt`."""
        body = json.dumps(alerts).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10):
            pass

    def alerts(self) -> list[dict[str, Any]]:
        """Its alerts; `status.inhibitedBy` lists the alerts that inhibit each."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as reply:
            found: list[dict[str, Any]] = json.load(reply)
        return found

    def wait_for(self, holds: Callable[[list[dict[str, Any]]], object], *, within: float = 30) -> list[dict[str, Any]]:
        """Poll until its alerts satisfy the condition, and return them."""
        deadline = time.monotonic() + within
        while not holds(found := self.alerts()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s; it knows {json.dumps(found, indent=1)}")
            time.sleep(0.1)
        return found


@contextlib.contextmanager
def running(
    config: dict[str, Any] | str, generation: Suite = "stable", *, templates: Sequence[Path] = ()
) -> Iterator[Alertmanager]:
    """Start a server with this configuration (YAML, or what YAML says), wait until it is ready, end it with the block.

    `templates` are copied beside the configuration, into a folder `templates`. Raises `RuntimeError` with the server's
    last words when it does not start.
    """
    program = relocated(alertmanager(generation))
    server = Alertmanager(f"http://127.0.0.1:{free_port()}")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        file = Path(folder) / "alertmanager.yml"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        (Path(folder) / "usr").symlink_to(program.parents[1])
        (Path(folder) / "templates").mkdir()
        for template in templates:
            shutil.copy(template, Path(folder) / "templates")
        command = [
            str(program),
            f"--config.file={file}",
            f"--storage.path={folder}/data",
            f"--web.listen-address={server.url.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(server.url, process, log)
            yield server
        finally:
            end(process)


def relocated(program: Path) -> Path:
    """A copy that reads its own templates below the folder it is started in.

    Debian's Alertmanager reads them at a fixed place, where a package that was only unpacked has nothing.
    """
    copy = program.with_name(f"{program.name}-relocated")
    with exclusive("alertmanager"):
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.copy(program, partial)
            # As long as before, so that nothing in the program moves.
            partial.write_bytes(
                partial.read_bytes().replace(f"/{_OWN_TEMPLATES}".encode(), f"{_OWN_TEMPLATES}/".encode())
            )
            partial.rename(copy)
    return copy
