"""What is different on Windows, simulated here: signals, the event loop, a coarse clock, code pages and the service."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from pprof_exporter.cli.options import Parser, add_serve_flags
from pprof_exporter.cli.os_signals import signal_handlers
from pprof_exporter.cli.serve import STOP_WITHIN
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles
from tests.lab import PATIENCE, PROJECT, free_port

FOLDER = PROJECT / "deploy" / "windows"
STEP = 1 / 64
"""Seconds between two values of GetTickCount64, on which `time.monotonic` of Python 3.11 and 3.12 stands there."""

AS_ON_WINDOWS = f"""
import asyncio, signal, sys, time

del signal.SIGHUP
signal.SIGBREAK = signal.SIGUSR1

def refuse(*_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = asyncio.SelectorEventLoop.remove_signal_handler = refuse
fine, info = time.monotonic, time.get_clock_info
time.monotonic = lambda: fine() // {STEP} * {STEP}
time.get_clock_info = lambda name: type("Info", (), {{"resolution": {STEP}}})() if name == "monotonic" else info(name)

from pprof_exporter.cli import main

sys.exit(main(sys.argv[1:]))
"""


async def test_ctrl_break_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    stop = asyncio.Event()
    with signal_handlers(stop.set, None):
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(stop.wait(), 60)


def test_steady_time_is_finer_than_the_ticks_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: fine() // STEP * STEP)
    clock = SystemClock()
    seen = {clock.steady() for _ in range(100)}
    assert len(seen) > 1
    assert min(b - a for a, b in zip(sorted(seen), sorted(seen)[1:], strict=False)) < STEP / 10


@pytest.fixture
def demo() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The exporter at work on recorded targets as Windows has it, its output in the code page of Western Europe."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-c", AS_ON_WINDOWS, "demo", f"--web.listen-address={address}"]
    environ = {"PATH": os.defpath, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process, f"http://{address}"
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1], ids=["ctrl-c", "ctrl-break"])
def test_the_exporter_watches_and_ends_as_it_does_elsewhere(
    demo: tuple[subprocess.Popen[bytes], str], number: signal.Signals
) -> None:
    process, url = demo
    found = ""
    deadline = time.monotonic() + 600
    while "pprof_cpu_sampled_seconds_total{" not in found:
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as reply:
                found = reply.read().decode()
        except OSError:
            found = ""
    assert not re.search(r"^pprof_exporter_internal_errors_total\S* [1-9]", found, re.MULTILINE)
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    assert b"stopping" in said


def test_the_service_starts_the_exporter_with_flags_that_it_has_and_gives_it_time_to_end() -> None:
    service = ET.fromstring((FOLDER / "pprof-exporter.xml").read_text())  # noqa: S314 - our own file
    told = {child.tag: (child.text or "").strip() for child in service}
    module, *arguments = re.findall(r'(?:"[^"]*"|\S)+', told["arguments"].removeprefix("-m "))
    assert module == "pprof_exporter"
    parser = Parser(environ={})
    add_serve_flags(parser)
    options = vars(parser.parse_args([argument.replace('"', "") for argument in arguments]))
    assert str(options["config.file"]).endswith("pprof-exporter.yml")
    assert int(told["stoptimeout"].removesuffix(" sec")) > STOP_WITHIN
    assert {one.get("name"): one.get("value") for one in service.findall("env")}["PYTHONUTF8"] == "1"
    log = service.find("log")
    assert log is not None
    assert log.get("mode") == "roll-by-size"
    assert service.findtext("serviceaccount/user") == "LocalService"


def test_the_example_configuration_is_taken() -> None:
    settings = load_config(FOLDER / "pprof-exporter.yml", Settings((), default_profiles()))
    assert [target.url.authority for target in settings.targets] == ["127.0.0.1:6060"]
