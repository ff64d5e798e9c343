"""The exporter as its users run it: a process of its own, read over HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.lab import free_port

COMMAND = (sys.executable, "-m", "pprof_exporter")
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


@dataclass(frozen=True, slots=True)
class Scrape:
    """One reply of /metrics, parsed."""

    text: str
    values: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def find(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Every series of this name that has these labels, among others."""
        wanted = set(labels.items())
        return [(dict(having), value) for (of, having), value in self.values.items() if of == name and wanted <= having]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one series with these labels, among others; None without such a series."""
        found = self.find(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name}{labels} is {len(found)} series")
        return found[0][1] if found else None


class Exporter:
    """A running exporter."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self.address = url.split("/")[2]
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """What it has written so far, standard output and error."""
        return self._log.read_text()

    def get(self, path: str, *, accept: str = "*/*", timeout: float = 60) -> tuple[str, str]:
        """Body and Content-Type of a reply."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.read().decode(), reply.headers["Content-Type"]

    def scrape(self) -> Scrape:
        """The current metrics."""
        text, _ = self.get("/metrics")
        values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        return Scrape(text, values)

    def wait_for(self, holds: Callable[[Scrape], bool], *, within: float = 40) -> Scrape:
        """Scrape until the condition holds."""
        deadline = time.monotonic() + within
        while True:
            # On a machine that is very busy, a reply may not come in time; what is waited for may still.
            with contextlib.suppress(TimeoutError):
                scrape = self.scrape()
                if holds(scrape):
                    return scrape
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s; the log says:\n{self.log}")
            time.sleep(0.2)

    def hang_up(self) -> None:
        """Make it reload its configuration."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> int:
        """Make it stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def running(
    *arguments: str,
    address: str | None = None,
    environ: dict[str, str] | None = None,
    below: str = "",
    module: Sequence[str] = (),
) -> Iterator[Exporter]:
    """`pprof-exporter ARGUMENTS` on a free port of loopback, ended with the block.

    `below` is the prefix of its paths, if the arguments give it one. `module`: another module that runs it, with
    arguments of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        url = f"http://{address or f'127.0.0.1:{free_port()}'}"
        program = [sys.executable, "-m", *module] if module else COMMAND
        command = [*program, *arguments, f"--web.listen-address={url[7:]}"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment(environ or {}))
        exporter = Exporter(url + below, process, log)
        try:
            _wait_until_ready(exporter)
            yield exporter
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def environment(more: dict[str, str]) -> dict[str, str]:
    """The environment of this process without settings of an exporter, and these."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PPROF_EXPORTER_")} | more


def _wait_until_ready(exporter: Exporter) -> None:
    deadline = time.monotonic() + 90
    while exporter.process.poll() is None and time.monotonic() < deadline:
        try:
            # Another program may listen there, and never answer.
            exporter.get("/-/ready", timeout=3)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the exporter did not start:\n{exporter.log}")
