"""Podman with images and containers in a folder of its own, and a base of Debian's packages."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Missing, run
from tests.walk.diary import Astray, succeeded
from tests.walk.machine import fresh

BASE = "localhost/debian-python"
"""Debian with Python, in place of the image of Python that a registry has."""
_COMPILER = "localhost/debian-compiler"
"""The same with a compiler and what is compiled against, for the stage that builds."""
_PACKAGES = ("busybox", "ca-certificates", "python-is-python3", "python3", "python3-venv")
_IMAGES = {BASE: _PACKAGES, _COMPILER: (*_PACKAGES, "gcc", "libc6-dev", "python3-dev")}
_TIMEOUT = 1800.0
# Where two generations of control groups are mixed, crun refuses to work; and not everybody who is root may have the
# million of open files that podman asks for.
_ENGINE = """\
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/images"
runroot = "{folder}/running"
"""


@dataclass(frozen=True, slots=True)
class Podman:
    """The command, with its settings."""

    environ: Mapping[str, str]

    def run(self, *words: str | Path, cwd: Path | None = None, timeout: float = _TIMEOUT) -> str:
        """What `podman WORDS` printed; raise `Astray` with its last words if it failed."""
        return self.other("podman", *words, cwd=cwd, timeout=timeout)

    def other(self, *words: str | Path, cwd: Path | None = None, timeout: float = _TIMEOUT) -> str:
        """The same for a program that calls podman."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        succeeded(shlex.join(map(str, words)), done.returncode, done.stdout + done.stderr)
        return done.stdout

    def build(self, dockerfile: Path, tag: str, context: Path) -> None:
        """Build an image."""
        self.run("build", *build_options(), "--file", dockerfile, "--tag", tag, context)


def build_options() -> list[str]:
    """The bases, the network of this machine with the certificate that it may need, and nothing from a registry."""
    certificate = os.environ.get("PIP_CERT")
    trusted = [f"--volume={certificate}:{certificate}:ro", f"--env=PIP_CERT={certificate}"] if certificate else []
    bases = [f"--build-arg=BASE={BASE}", f"--build-arg=COMPILER={_COMPILER}"]
    return ["--format=docker", "--network=host", "--pull=never", *bases, *trusted]


def _archive(root: Path, packages: Sequence[str]) -> Path:
    """A Debian with these packages, as a file that podman imports."""
    base, archive = fresh(root, packages), root.with_suffix(".tar")
    run(["tar", "--directory", base.root, "--exclude=./root", "--create", "--file", archive, "."], timeout=_TIMEOUT)
    return archive


@contextlib.contextmanager
def podman(folder: Path) -> Iterator[Podman]:
    """Podman, which has the base of all images; at the end every container is ended."""
    for tool in ("podman", "runc", "catatonit"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool}: install podman, runc, catatonit, netavark and aardvark-dns")
    archives = {image: _archive(folder / image.rpartition("/")[2], packages) for image, packages in _IMAGES.items()}
    settings = {"CONTAINERS_CONF": _ENGINE, "CONTAINERS_STORAGE_CONF": _STORAGE.format(folder=folder)}
    for name, text in settings.items():
        (folder / name).write_text(text)
    command = Podman({**os.environ, **{name: str(folder / name) for name in settings}})
    try:
        for image, archive in archives.items():
            command.run("import", archive, image)
            archive.unlink()
        yield command
    finally:
        with contextlib.suppress(Astray):
            command.run("pod", "rm", "--all", "--force")
            command.run("rm", "--all", "--force", "--time", "0")
            command.run("system", "reset", "--force")
