"""Ask one running target, keep what it answers, and note how it was."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import go, wine
from tests.lab.go import System
from tests.lab.target import Target, running

KINDS = ("heap", "allocs", "goroutine", "threadcreate", "block", "mutex", "goroutineleak")
_KEPT_HEADERS = ("Content-Type", "Content-Length", "Content-Disposition", "Transfer-Encoding", "X-Go-Pprof", "Allow")

Files = dict[str, dict[str, Any]]
"""Notes of a manifest, by name of the file."""
Switch = tuple[str, dict[str, object]]
"""A switch of /control/ and its query."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class Recorder:
    """Fetches from one target into one folder and notes each reply for the manifest."""

    target: Target
    folder: Path
    condition: str = "idle"
    files: Files = field(default_factory=dict)

    def take(self, name: str, path: str, *, cores: float = 0) -> None:
        """Keep the reply to PATH, below /debug/pprof/ unless it begins with a slash, as the file NAME.

        With cores: ask again while other programs of this machine leave the target less than 90 % of as many,
        six times at most, and keep the reply that had most.
        """
        note, body = self.fetch(path)
        for _ in range(5 if cores else 0):
            if note["cpu_seconds"] >= 0.9 * cores * note["seconds"]:
                break
            again, other = self.fetch(path)
            if again["cpu_seconds"] > note["cpu_seconds"]:
                note, body = again, other
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        self.files[name] = note

    def fetch(self, path: str) -> tuple[dict[str, Any], bytes]:
        """One request with what the target says about itself before and after."""
        full = path if path.startswith("/") else f"/debug/pprof/{path}"
        time.sleep(0.02)  # until the goroutines of the connections before are gone
        before = self.target.stats()
        wall, started = time.time_ns(), time.perf_counter()
        status, headers, body = fetch(self.target.url + full)
        seconds = time.perf_counter() - started
        after = self.target.stats()
        note = {
            "path": full,
            "condition": self.condition,
            "status": status,
            "content_type": headers.get("Content-Type"),
            "x_go_pprof": headers.get("X-Go-Pprof"),
            "headers": headers,
            "bytes": len(body),
            "started_unix_nanos": wall,
            "seconds": round(seconds, 4),
            "cpu_seconds": round(after["cpu_seconds"] - before["cpu_seconds"], 4),
            "goroutines": before["goroutines"],
        }
        return note, body

    @contextlib.contextmanager
    def under(self, condition: str, *switches: Switch) -> Iterator[None]:
        """Switch the target into a condition, wait for it to settle, and release it at the end."""
        for switch, query in switches:
            self.target.control(switch, **query)
        self.condition = condition
        time.sleep(0.5)
        try:
            yield
        finally:
            self.target.control("release")
            self.target.control("rates", block=0, mutex=0)
            self.condition = "idle"
            time.sleep(1.2)

    def take_while(self, act: Callable[[], object], name: str, path: str) -> None:
        """Keep a reply that takes its time, and act a third of a second after it was asked for."""
        timer = threading.Timer(0.33, act)
        timer.start()
        self.take(name, path)
        timer.join()


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    """Status, the headers worth keeping, and the body as it came."""
    try:
        reply = _opener.open(url, timeout=60)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        headers = {name: reply.headers[name] for name in _KEPT_HEADERS if name in reply.headers}
        return int(reply.status), headers, reply.read()


@contextlib.contextmanager
def started(name: str, *arguments: str) -> Iterator[Target]:
    """The target of a set such as `linux-go1.27.3`, running."""
    system, version = split(name)
    with running(go.build(version, system), *arguments, wine=system == "windows") as target:
        yield target


def split(name: str) -> tuple[System, str]:
    """`linux-go1.27.3` in its two parts."""
    system, _, version = name.partition("-go")
    return ("windows" if system == "windows" else "linux"), version


def describe(name: str, target: Target) -> dict[str, Any]:
    """The head of a manifest: which runtime, on what, made how."""
    system, version = split(name)
    about: dict[str, Any] = {
        "go": target.go,
        "goos": system,
        "goarch": "amd64",
        "system": f"{wine.version()}, which runs the Windows build of Go and is not Windows"
        if system == "windows"
        else "Linux",
        "program": f"tests/target, built with go {version}, -trimpath, CGO_ENABLED=0",
        "command": f"python -m tests.record --only {name}",
        "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        "fields": {
            "seconds": "from the request to the end of the body, on the same machine",
            "cpu_seconds": "what the process used meanwhile by the account of the operating system",
            "goroutines": "runtime.NumGoroutine just before, with the one that answered",
        },
    }
    return about


def write_manifest(folder: Path, about: dict[str, Any], files: Files) -> None:
    """Write MANIFEST.json, one file a line block, in the order of the recording."""
    text = json.dumps({"about": about, "files": files}, indent=1) + "\n"
    (folder / "MANIFEST.json").write_text(text, encoding="utf-8")
