"""One cell of the grid: a Go program with one kind of load, which takes CPU profiles of itself."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pprof_exporter.health.coverage import CLEARLY_COVERED, accounted_seconds
from pprof_exporter.profile import NANOSECONDS, decode
from tests.lab import LAB, exclusive, go, run, wine

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
    """One CPU profile: its length, the CPU time used within, what samples account for, and the cost of its end.

    `within` is what samples within system calls stand for, which on Windows may be no work.
    """

    seconds: float
    used: float
    accounted: float
    samples: int
    stop: float
    within: float = 0.0

    @property
    def undecided(self) -> bool:
        """Whether samples within system calls may be all that is missing, as the exporter judges it."""
        return self.accounted < CLEARLY_COVERED * self.used and self.used <= self.accounted + self.within


@dataclass(frozen=True, slots=True)
class Result:
    """What all profiles of a cell say.

    `coverage` is all accounted by all used CPU time, `deviation` the standard deviation of single profiles, `cores` the
    used CPU seconds per second. Of so many `profiles` the exporter would leave `undecided` ones out, as is done here.
    """

    cell: Cell
    coverage: float | None
    deviation: float | None
    cores: float
    samples: int
    profiles: int
    undecided: int

    @property
    def used(self) -> float:
        """CPU seconds in one profile."""
        return self.cores * WINDOW


def summarize(cell: Cell, windows: Sequence[Window]) -> Result:
    """Sum up the windows of a cell."""
    judged = [window for window in windows if not window.undecided]
    ratios = [window.accounted / window.used for window in judged]
    return Result(
        cell,
        round(sum(one.accounted for one in judged) / sum(one.used for one in judged), 4) if judged else None,
        round(statistics.stdev(ratios), 4) if len(ratios) > 1 else None,
        round(sum(window.used for window in windows) / sum(window.seconds for window in windows), 5),
        sum(window.samples for window in windows),
        len(windows),
        len(windows) - len(judged),
    )


def build(version: str, system: go.System) -> Path:
    """The program, built with a Go version."""
    command = go.toolchain(version)
    folder = f"coverage-{system}-go{version}"
    with exclusive(f"build-{folder}"):
        program = LAB / "build" / folder / ("target.exe" if system == "windows" else "target")
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


def measure(group: Sequence[Cell], windows: int) -> list[Result]:
    """Run all programs of a group at once, at the highest priority that this user may have."""
    with contextlib.ExitStack() as stack:
        # Files, since services that Wine starts beside the first program keep a pipe open.
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in group]
        started = [_start(cell, windows, output) for cell, output in zip(group, outputs, strict=True)]
        results = []
        for cell, process, output in zip(group, started, outputs, strict=True):
            if process.wait(timeout=windows * WINDOW * 3 + 60):
                raise SystemExit(f"the program of {cell} ended with {process.returncode}")
            output.seek(0)
            results.append(summarize(cell, [_window(line) for line in output]))
    return results


def _start(cell: Cell, windows: int, output: IO[str]) -> subprocess.Popen[bytes]:
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
    return subprocess.Popen([*first, *command], stdout=output, env=environment)  # noqa: S603


def _window(line: str) -> Window:
    said = json.loads(line)
    profile = decode(base64.b64decode(said["profile"]))
    accounted, within = accounted_seconds(profile)
    samples = round(accounted * NANOSECONDS / profile.period)
    return Window(said["seconds"], said["used"], accounted, samples, said["stop"], within)


def read_results(file: Path) -> list[Result]:
    """What `write_results` wrote."""
    return [
        Result(Cell(Load(**row["cell"].pop("load")), **row.pop("cell")), **row)
        for row in json.loads(file.read_text(encoding="utf-8"))
    ]


def write_results(file: Path, results: Sequence[Result]) -> None:
    """One line for each cell."""
    rows = ",\n".join(json.dumps(asdict(result)) for result in results)
    file.write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def _length(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.001 else f"{seconds * 1e3:.0f} ms"
