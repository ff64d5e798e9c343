"""The Go test target as a running process, with its switches as methods."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import GIVES_WAY, Missing
from . import wine as winelab

START_SECONDS = 60.0
"""A cold Wine prefix takes its time; a Linux program is there within a tenth of a second."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Target:
    """One running target program."""

    url: str
    """Without a slash at its end, such as `http://127.0.0.1:40123`."""
    go: str
    """`go1.27.3`"""
    pid: int
    """As the program sees it: under Wine not a number of this system."""
    process: subprocess.Popen[bytes]

    def pprof(self, profile: str = "", **query: object) -> str:
        """The address of a profile, or of the index page."""
        return f"{self.url}/debug/pprof/{profile}{_query(query)}"

    def control(self, switch: str, **query: object) -> dict[str, Any]:
        """Set a switch of the program and return its new state; raise `ValueError` with its words on a wrong one."""
        try:
            with _opener.open(f"{self.url}/control/{switch}{_query(query)}", timeout=60) as reply:
                answer: dict[str, Any] = json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode(errors="replace").strip()) from error
        return answer

    def fault(self, path: str, mode: str, **query: object) -> dict[str, Any]:
        """Answer PATH (`index`, `heap`, ..., `*`, `metrics`) in MODE from now on; `none` ends it."""
        return self.control("fault", path=path, mode=mode, **query)

    def stats(self) -> dict[str, Any]:
        """The truth about the process: CPU seconds, goroutines, memory, loads, rates, requests."""
        return self.control("stats")

    def kill(self) -> None:
        """End the program and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def pause(self) -> None:
        """Freeze the program: connections are accepted by the system, nothing answers."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen program go on."""
        os.killpg(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def running(
    program: Path, *arguments: str, wine: bool = False, nice: bool = False, environ: dict[str, str] | None = None
) -> Iterator[Target]:
    """Start a built target in a process group of its own, wait until it answers, and end it in any case.

    With `nice` it gives way to what watches it. `environ` is added to its environment. Raises `Missing` when it does
    not start, with the last words it said.
    """
    command = [str(winelab.loader()), winelab.place(program)] if wine else [str(program)]
    command = [*GIVES_WAY, *command] if nice else command
    environment = (winelab.environment() if wine else _environment()) | (environ or {})
    folder = winelab.drive() / "target" if wine else program.parent
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            process_group=0,
        )
        try:
            line = _first_line(process)
            try:
                ready = json.loads(line)
            except ValueError:
                complaints.seek(0)
                said = (line + complaints.read()).decode(errors="replace").strip()[-500:]
                raise Missing(f"{program.parent.name} did not start: {said or 'it said nothing'}") from None
            target = Target(url=ready["url"], go=ready["go"], pid=ready["pid"], process=process)
            yield target
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
            if process.stdout is not None:
                process.stdout.close()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The first line of standard output, empty when none comes in time."""
    lines: queue.Queue[bytes] = queue.Queue()
    output = process.stdout
    if output is None:
        return b""
    reader = threading.Thread(target=lambda: lines.put(output.readline()), daemon=True)
    reader.start()
    try:
        line = lines.get(timeout=START_SECONDS)
    except queue.Empty:
        line = b""
    return line


def _environment() -> dict[str, str]:
    """Next to nothing: GODEBUG and GOTRACEBACK of the caller would change what the program does."""
    return {"PATH": os.environ.get("PATH", os.defpath)}


def _query(parameters: dict[str, object]) -> str:
    return f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
