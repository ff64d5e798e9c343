"""The services of tests/detection/services: built with any Go, and run at one address over restarts and upgrades."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import GIVES_WAY, LAB, PROJECT, Missing, exclusive, free_port, go, run

SOURCES = PROJECT / "tests" / "detection" / "services"
NEWEST, MIDDLE, OLDEST = go.VERSIONS[2], go.VERSIONS[1], go.VERSIONS[0]
_START_SECONDS = 30.0
_PORT_TAKEN = 15.0


@dataclass(frozen=True, slots=True)
class Build:
    """One build of the services. `factors` are what it does more of than an ordinary one, by variable of main.go."""

    version: str = NEWEST
    factors: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of its folder."""
        return "-".join([f"service-go{self.version}", *(f"{name}{value}" for name, value in self.factors.items())])


def built(build: Build) -> Path:
    """The program, compiled unless it is there. Raises `Missing`."""
    command = go.toolchain(build.version)
    with exclusive(f"build-{build.name}"):
        folder = LAB / "build" / build.name
        program, stamp = folder / "service", folder / "sources.sha256"
        digest = _digest(build)
        if program.exists() and stamp.exists() and stamp.read_text() == digest:
            return program
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "go.mod").write_text(f"module services\n\ngo {'.'.join(build.version.split('.')[:2])}\n")
        variables = " ".join(f"-X main.{name}={value}" for name, value in build.factors.items())
        module, flags = f"-modfile={folder / 'go.mod'}", f"-ldflags={variables}"
        build_command: list[str | Path] = [command, "build", "-buildvcs=false", module, flags, "-o", program, "."]
        run(build_command, cwd=SOURCES, env=go._environment({"CGO_ENABLED": "0"}))
        stamp.write_text(digest)
        return program


@dataclass
class Service:
    """A service at one address. Whichever build runs has the same path, as after an upgrade."""

    name: str
    build: Build
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    _process: subprocess.Popen[bytes] | None = None
    _control: str = ""

    def start(self) -> None:
        """Run it. Raises `Missing` if it does not start."""
        program = self._installed()
        command = [*GIVES_WAY, str(program), "-listen", self.address, *self.arguments]
        deadline = time.monotonic() + _PORT_TAKEN
        while True:
            process = subprocess.Popen(
                command,
                cwd=program.parent,
                env={"PATH": os.environ.get("PATH", os.defpath), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
            said = _first_line(process)
            if said:
                self._process, self._control = process, json.loads(said)["control"]
                return
            process.kill()
            _, words = process.communicate()
            # Between two runs the port belongs to nobody, and a connection of another program may take it.
            if b"address already in use" not in words or time.monotonic() > deadline:
                raise Missing(f"{self.name} did not start: {words.decode(errors='replace')[-500:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it at once, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)

    def restart(self) -> None:
        """End it, and run it again."""
        self.stop()
        self.start()

    def replace(self, build: Build, *arguments: str) -> None:
        """End it, and run another build at its address; with other flags if there are any."""
        self.build = build
        self.arguments = arguments or self.arguments
        self.restart()

    def switch(self, name: str, value: int) -> None:
        """Set a fault of the program; 0 ends it."""
        query = urllib.parse.urlencode({"name": name, "value": value})
        with urllib.request.urlopen(f"{self._control}/fault?{query}", timeout=30) as reply:
            reply.read()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP."""
        assert self._process is not None, f"{self.name} does not run"
        os.killpg(self._process.pid, number)

    def _installed(self) -> Path:
        """The program in the folder of this service, put there as a package manager does it."""
        program = go.NEUTRAL / "detection" / self.name / "service"
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        try:
            os.link(built(self.build), fresh)
        except OSError:
            shutil.copy(built(self.build), fresh)
        fresh.replace(program)
        return program


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The first line of standard output, empty when none comes in time."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    return process.stdout.readline() if ready else b""


def _digest(build: Build) -> str:
    digest = hashlib.sha256(build.name.encode())
    for source in sorted(SOURCES.glob("*.go")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()
