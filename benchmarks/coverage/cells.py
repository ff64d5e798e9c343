"""One cell of the grid: a Go program with one kind of load, which takes CPU profiles of itself."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pprof_exporter.health.coverage import accounted_seconds
from pprof_exporter.profile import NANOSECONDS, decode
from tests.lab import exclusive, go, run, wine

SOURCES = Path(__file__).parent / "program"
WINDOW = 5
"""Seconds of one CPU profile, as the exporter takes them by default."""
WAKING = 130e-6
"""CPU seconds that one sleep and one wake-up cost, for the estimate of how many programs may run at once."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one thread does: `burst` seconds of work, once in `period` seconds on average; a period of 0: no pause."""

    burst: float
    period: float

    @property
    def share(self) -> float:
        """About how much of a core one thread uses."""
        return min(1.0, (self.burst + WAKING) / self.period) if self.period else 1.0

    @property
    def title(self) -> str:
        """Of its row."""
        if not self.period:
            return "always busy"
        return f"{_length(self.burst)} every {_length(self.period)}"


LOADS = (Load(20e-6, 0.01), Load(100e-6, 0.01), Load(500e-6, 0.02), Load(0.002, 0.05), Load(0.02, 0.4), Load(0.02, 0))


@dataclass(frozen=True, slots=True)
class Cell:
    """A load on a number of threads, in a program of one Go version."""

    load: Load
    threads: int
    version: str
    system: go.System

    @property
    def share(self) -> float:
        """About how much of all processors it uses."""
        return min(float(os.cpu_count() or 1), self.threads * self.load.share)


@dataclass(frozen=True, slots=True)
class Window:
    """One CPU profile: its length, the CPU time used within, what samples account for, and the cost of its end."""

    seconds: float
    used: float
    accounted: float
    samples: int
    stop: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What all windows of a cell say."""

    cell: Cell
    windows: tuple[Window, ...]

    @property
    def coverage(self) -> float:
        """All accounted by all used CPU time."""
        return sum(window.accounted for window in self.windows) / sum(window.used for window in self.windows)

    @property
    def deviation(self) -> float:
        """Standard deviation of the coverage of single windows."""
        return statistics.stdev(window.accounted / window.used for window in self.windows)

    @property
    def share(self) -> float:
        """Used CPU seconds per second."""
        return sum(window.used for window in self.windows) / sum(window.seconds for window in self.windows)

    @property
    def stop(self) -> float:
        """Median of the CPU seconds that ending a profile took."""
        return statistics.median(window.stop for window in self.windows)

    @property
    def samples(self) -> int:
        """Of all windows."""
        return sum(window.samples for window in self.windows)


def build(version: str, system: go.System) -> Path:
    """The program, built with a Go version."""
    command = go.toolchain(version)
    folder = f"coverage-{system}-go{version}"
    with exclusive(f"build-{folder}"):
        program = go.LAB / "build" / folder / ("target.exe" if system == "windows" else "target")
        stamp = program.with_name("sources.sha256")
        digest = hashlib.sha256(b"".join(source.read_bytes() for source in sorted(SOURCES.iterdir()))).hexdigest()
        if not program.exists() or not stamp.exists() or stamp.read_text() != digest:
            program.parent.mkdir(parents=True, exist_ok=True)
            environment = go._environment({"GOOS": system, "GOARCH": "amd64", "CGO_ENABLED": "0"})  # noqa: SLF001
            run([command, "build", "-buildvcs=false", "-o", program, "."], cwd=SOURCES, env=environment)
            stamp.write_text(digest)
    return program


def groups(cells: Sequence[Cell], at_once: float) -> Iterator[list[Cell]]:
    """Cells that run at once, which together use at most `at_once` of a core, or a busier one alone."""
    group: list[Cell] = []
    for cell in sorted(cells, key=lambda cell: (cell.load.period == 0, cell.load.burst, cell.threads)):
        if group and sum(one.share for one in [*group, cell]) > at_once:
            yield group
            group = []
        group.append(cell)
    if group:
        yield group


def measure(group: Sequence[Cell], windows: int) -> list[Measured]:
    """Run all programs of a group at once, at the highest priority that this user may have."""
    started = [_start(cell, windows) for cell in group]
    outputs = [process.communicate(timeout=windows * WINDOW * 3 + 60)[0] for process in started]
    for cell, process in zip(group, started, strict=True):
        if process.returncode:
            raise SystemExit(f"the program of {cell} ended with {process.returncode}")
    return [
        Measured(cell, tuple(map(_window, output.splitlines()))) for cell, output in zip(group, outputs, strict=True)
    ]


def _start(cell: Cell, windows: int) -> subprocess.Popen[str]:
    program = build(cell.version, cell.system)
    load = cell.load
    command = [
        *([str(wine.loader()), wine.place(program)] if cell.system == "windows" else [str(program)]),
        f"-burst={load.burst * 1e6:.0f}us",
        f"-period={load.period * 1e6:.0f}us",
        f"-threads={cell.threads}",
        f"-window={WINDOW}s",
        f"-windows={windows}",
    ]
    nice = shutil.which("nice")
    first = [nice, "-n", "-20"] if nice and os.geteuid() == 0 else []
    environment = wine.environment() if cell.system == "windows" else {}
    return subprocess.Popen([*first, *command], stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603


def _window(line: str) -> Window:
    said = json.loads(line)
    profile = decode(base64.b64decode(said["profile"]))
    accounted = accounted_seconds(profile)
    return Window(
        said["seconds"], said["used"], accounted, round(accounted * NANOSECONDS / profile.period), said["stop"]
    )


def to_json(measured: Measured) -> dict[str, object]:
    """As it is written to a file, without losing a window."""
    return asdict(measured)


def from_json(data: dict[str, object]) -> Measured:
    """The opposite of `to_json`."""
    cell, windows = data["cell"], data["windows"]
    assert isinstance(cell, dict)  # noqa: S101
    assert isinstance(windows, list)  # noqa: S101
    load = Load(**cell.pop("load"))
    return Measured(Cell(load=load, **cell), tuple(Window(**window) for window in windows))


def _length(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.001 else f"{seconds * 1e3:.0f} ms"
