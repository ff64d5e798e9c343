"""Programs that nobody here wrote, which are upgraded and rolled back at one address: Prometheus and Alertmanager.

Old is what the release of this machine has, new is what Debian has newest.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO

from tests.lab import alertmanager, free_port, prometheus, run
from tests.lab.debian import Suite

OLD: Suite = "stable"
NEW: Suite = "sid"

_GO_VERSION = re.compile(r"^\s*go version:\s+go(\S+)", re.MULTILINE)
_GO_INFO = re.compile(r'^go_info\{[^}]*version="go([^"]+)"', re.MULTILINE)


class Program:
    """A program at one address with one data folder. Whichever version runs has the same path, as after an upgrade."""

    def __init__(self, name: str, packed: Callable[[Suite], Path], flags: Sequence[str], folder: Path) -> None:
        """`packed` is where the program of a suite is, `flags` may contain {folder} and {address}."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self._packed = packed
        self._flags = [flag.format(folder=folder, address=self.address) for flag in flags]
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self, suite: Suite) -> None:
        """Run the version of this suite and wait until it is ready. Raises `Missing`, and `RuntimeError`."""
        installed = self.folder / self.name
        _install(self._packed(suite), installed)
        # In append mode: an earlier version has written there, too.
        self._log = (self.folder / "log").open("ab+")
        self._process = subprocess.Popen(
            [str(installed), *self._flags],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        prometheus.wait_until_ready(self.url, self._process, self._log)

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is not None:
            prometheus.end(self._process)
        if self._log is not None:
            self._log.close()
        self._process = self._log = None

    def replace(self, suite: Suite) -> None:
        """End it, and run the version of this suite with its data. Returns when that answers."""
        self.stop()
        self.start(suite)

    def go(self) -> str:
        """The version of Go by the program's own metrics page, without `go`: `1.19.8`."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as reply:
            found = _GO_INFO.search(reply.read().decode())
        assert found is not None, f"{self.name} has no go_info"
        return found[1]


def go_of(program: Path) -> str:
    """The version of Go that a program of Prometheus's family says on the command line, without `go`."""
    found = _GO_VERSION.search(run([program, "--version"]))
    assert found is not None, f"{program} does not say its version of Go"
    return found[1]


def prometheus_in(folder: Path, name: str = "prometheus") -> Program:
    """A Prometheus. Its configuration is for `scraping` to write."""
    flags = (
        "--config.file={folder}/config.yml",
        "--storage.tsdb.path={folder}/data",
        "--web.listen-address={address}",
    )
    program = Program(name, prometheus.prometheus, flags, folder)
    scrape(program, [])
    return program


def scrape(program: Program, others: Sequence[Program]) -> None:
    """Let a Prometheus that is not started yet scrape itself and others each second."""
    targets = [{"targets": [one.address for one in (program, *others)]}]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "all", "static_configs": targets}],
    }
    (program.folder / "config.yml").write_text(json.dumps(config))


def alertmanager_in(folder: Path, name: str = "alertmanager") -> Program:
    """An Alertmanager that sends nothing to anybody."""
    flags = (
        "--config.file={folder}/config.yml",
        "--storage.path={folder}/data",
        "--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    program = Program(name, _alertmanager, flags, folder)
    (folder / "config.yml").write_text(json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}))
    return program


@contextlib.contextmanager
def load(programs: Sequence[Program], paths: Sequence[str] = ("/metrics", "/-/ready", "/")) -> Iterator[None]:
    """A few requests a second to each program, whether it answers or not, during the block."""
    ended = threading.Event()

    def request() -> None:
        while not ended.wait(0.3):
            for url in [program.url + path for program in programs for path in paths]:
                # While it is replaced, it refuses connections; and it may stop in the middle of a reply.
                with contextlib.suppress(OSError, HTTPException), urllib.request.urlopen(url, timeout=5) as reply:
                    reply.read()

    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


def _alertmanager(suite: Suite) -> Path:
    return alertmanager.relocated(prometheus.alertmanager(suite))


def _install(program: Path, to: Path) -> None:
    """Put a program in the place of another, as a package manager does: under a new name, which is then renamed."""
    fresh, shared = to.with_suffix(".new"), to.with_name("usr")
    for path in (fresh, shared):
        path.unlink(missing_ok=True)
    try:
        os.link(program, fresh)
    except OSError:
        shutil.copy(program, fresh)
    fresh.replace(to)
    # Where an Alertmanager finds its templates (`alertmanager.relocated`).
    shared.symlink_to(program.parents[1])
