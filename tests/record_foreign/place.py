"""Where foreign programs are built and run, and how."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab import go

HERE = Path(__file__).resolve().parent
# Profiles carry the paths of programs, so this one must say nothing of the machine.
TMP = Path("/tmp/foreign")  # noqa: S108
PYTHON = "/usr/bin/python3.11"

Entry = dict[str, Any]
Recorded = Iterator[tuple[str, bytes, Entry]]


def prepare() -> None:
    """Make the folders and copy the programs."""
    (TMP / "home").mkdir(parents=True, exist_ok=True)
    for program in (HERE / "programs").iterdir():
        if program.is_file():
            shutil.copy(program, TMP)


def run(*command: str | bytes | Path, cwd: Path | str = TMP, **variables: str) -> bytes:
    """The standard output of a command that sees only the variables given."""
    home = str(TMP / "home")
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "PPROF_TMPDIR": home, "LC_ALL": "C.UTF-8"} | variables
    return subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, timeout=300).stdout


def go_tool(version: str, *arguments: str | Path, cwd: Path | str = TMP, **variables: str) -> bytes:
    """The output of a command of Go that asks nobody."""
    cache = str(TMP / f"gocache-{version}")
    fixed = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOTELEMETRY": "off", "GOCACHE": cache}
    return run(go.toolchain(version), *arguments, cwd=cwd, **fixed | variables)


def install(*packages: str) -> None:
    """Install Debian packages, without what they only recommend."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def debian_version(package: str) -> str:
    """The installed version of a Debian package."""
    return run("dpkg-query", "-W", "-f", "${Version}", package).decode()


def pip(folder: Path, *packages: str) -> None:
    """Install packages of the Python package index into a folder, for the Python that runs this."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*command, "--target", folder, *packages], check=True)


def real(language: str, producer: str, how: str) -> Entry:
    """The manifest's entry of a profile that its producer wrote."""
    return {"language": language, "producer": producer, "real": True, "how": how}
