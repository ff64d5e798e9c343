"""A fresh Debian: its root made by debootstrap, its commands and its systemd run by systemd-nspawn.

It shares the network of this machine, since what the documentation has one install comes from there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import PROJECT, Missing, run
from tests.walk.diary import Astray, succeeded, until

CHECKOUT = "/root/pprof-exporter"
"""Where the stranger put the project."""
_RELEASE = "bookworm"
_TIMEOUT = 3600.0
_SYSTEMD = Path("/run/systemd/system")
# What the way out of this machine may need, such as a certificate of its own: variables that pip and OpenSSL read.
_WAY_OUT = ("PIP_CERT", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Machine:
    """One root. Each command runs in a container of its own, at whose end everything ends that the command started."""

    root: Path

    def run(self, command: str, *, timeout: float = _TIMEOUT) -> str:
        """What COMMAND printed, in the checkout; raise `Astray` with its last words if it failed."""
        with self.started(command) as process:
            try:
                said = process.communicate(timeout=timeout)[0]
            except subprocess.TimeoutExpired:
                raise Astray(f"{command}: not done after {timeout:.0f} s") from None
        return succeeded(command, process.returncode, said)

    @contextlib.contextmanager
    def started(self, command: str) -> Iterator[subprocess.Popen[str]]:
        """COMMAND going on, in the checkout, until the end of the block."""
        with self._nspawn("--as-pid2", f"--chdir={CHECKOUT}", "bash", "-ec", command) as process:
            yield process

    @contextlib.contextmanager
    def booted(self) -> Iterator[Booted]:
        """The machine with its systemd up, until the end of the block."""
        with self._nspawn("--boot") as process:
            # Before nspawn is there, its shell has children of its own.
            leader = until("a first process", lambda: _children(process.pid, "systemd"), within=30)[0]
            machine = Booted(leader)
            until("systemd is up", lambda: machine.run("systemctl is-system-running --wait"), within=120)
            try:
                yield machine
            finally:
                with contextlib.suppress(Astray, subprocess.TimeoutExpired):
                    machine.run("systemctl poweroff")
                    process.wait(timeout=60)

    @contextlib.contextmanager
    def _nspawn(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        certificate = [f"--bind-ro={path}" for path in {os.environ.get(name) for name in _WAY_OUT[:2]} if path]
        variables = [f"--setenv={name}={os.environ[name]}" for name in _WAY_OUT if name in os.environ]
        process = subprocess.Popen(
            [*_container(f"--directory={self.root}", "--console=pipe", *certificate, *variables), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            yield process
        finally:
            # With the first process of a container the kernel ends all others; nspawn alone would leave them.
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    for first in _children(process.pid):
                        os.kill(first, signal.SIGKILL)
                time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Booted:
    """A machine whose systemd runs."""

    leader: int
    """Its first process, as this machine numbers it."""

    def run(self, command: str, *, timeout: float = _TIMEOUT) -> str:
        """What COMMAND printed, in the checkout; raise `Astray` with its last words if it failed."""
        environ = {name: os.environ[name] for name in _WAY_OUT if name in os.environ}
        environ |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        within = ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "bash", "-ec"]
        done = subprocess.run(
            [*within, f"cd {CHECKOUT}\n{command}"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return succeeded(command, done.returncode, done.stdout)


def fresh(root: Path, packages: Sequence[str]) -> Machine:
    """A machine of Debian's smallest variant with these packages besides, and the project as it was last committed."""
    if os.geteuid() != 0:
        raise Missing("a root of Debian: only root makes one")
    for tool in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool}: install debootstrap, systemd-container and util-linux")
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", _RELEASE, root], timeout=_TIMEOUT)
    # The installer of Debian writes it, debootstrap does not.
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
    run(["git", "clone", "--quiet", PROJECT, root / CHECKOUT[1:]])
    return Machine(root)


def are_free(ports: Sequence[int]) -> None:
    """Raise `Missing` if something listens where the documentation has one listen: the network is this machine's."""
    for port in ports:
        with socket.socket() as probe:
            # Connections that ended a moment ago are nobody who listens.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Missing(f"port {port}: {error}") from error


def _container(*options: str) -> list[str]:
    """The words that start nspawn. It leaves notes for systemd, on a file system that is not there without one."""
    nspawn = ["systemd-nspawn", "--quiet", "--register=no", *options]
    if _SYSTEMD.is_dir():
        return nspawn
    notes = _SYSTEMD.parent
    notes.mkdir(parents=True, exist_ok=True)
    mounted = ["sh", "-c", 'mount -t tmpfs tmpfs "$0" && exec "$@"', str(notes)]
    return ["unshare", "--mount", "--propagation", "private", *mounted, *nspawn, "--keep-unit"]


def _children(process: int, name: str = "") -> list[int]:
    """The processes that a process started and that run; with a name, only those of this name."""
    found = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [child for child in found if name in ("", Path(f"/proc/{child}/comm").read_text().strip())]
