"""What share of the CPU time the samples of CPU profiles account for, by the length of bursts, threads and Go version.

    python -m benchmarks.coverage [--system linux] [--windows 9] [--at-once 0.6] [--draw]

Each cell of the grid is a Go program that works in bursts and takes WINDOWS CPU profiles of 5 s of itself; its CPU time
is that of the operating system at both ends of the sampling. Light programs run at once, together at most `--at-once`
of a core, others alone. Run it as root, so that the programs have the highest priority. The results replace those of
the system in results.json. `--draw` measures nothing: it writes docs/images/coverage.svg and prints the tables of
docs/coverage.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from pathlib import Path

from benchmarks.coverage.cells import LOADS, Cell, build, groups, measure, read_results, write_results
from benchmarks.coverage.picture import draw
from benchmarks.coverage.tables import tables
from tests.lab import PROJECT, go

RESULTS = Path(__file__).parent / "results.json"
PICTURE = PROJECT / "docs" / "images" / "coverage.svg"
THREADS: dict[go.System, tuple[int, ...]] = {"linux": (1, 4, 8), "windows": (1, 4)}


def grid(system: go.System) -> list[Cell]:
    """All cells of a system. Under Wine the shortest bursts are left out: most of their time is Wine's own."""
    loads = LOADS if system == "linux" else LOADS[3:]
    return [
        Cell(load, threads, version, system) for version in go.VERSIONS for load in loads for threads in THREADS[system]
    ]


def main() -> None:
    """Measure, or draw what was measured."""
    parser = argparse.ArgumentParser(description="Measure the coverage of CPU samples.")
    parser.add_argument("--system", choices=("linux", "windows"), default="linux")
    parser.add_argument("--windows", type=int, default=9)
    parser.add_argument("--at-once", type=float, default=0.6)
    parser.add_argument("--draw", action="store_true")
    options = parser.parse_args()
    if options.draw:
        results = read_results(RESULTS)
        PICTURE.write_text(draw(results), encoding="utf-8")
        print(tables(results))
        return
    if os.geteuid() == 0:
        # With autogroups, the niceness of a process counts only within its session.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text("-20", encoding="ascii")
    cells = grid(options.system)
    for cell in cells:
        build(cell.version, cell.system)
    began = time.monotonic()
    results, loads = [], []
    for group in groups(cells, options.at_once):
        for result in measure(group, options.windows if group[0].load.period else max(4, options.windows // 2)):
            results.append(result)
            cell = result.cell
            print(
                f"{cell.system:8} {cell.version:8} {cell.load.title:18} x{cell.threads} coverage {result.coverage} "
                f"sd {result.deviation} of {result.cores} cores, {result.samples} samples, "
                f"{result.undecided} of {result.profiles} profiles undecided",
                flush=True,
            )
        loads.append(os.getloadavg()[0])
    others = [one for one in read_results(RESULTS) if one.cell.system != options.system] if RESULTS.exists() else []
    write_results(RESULTS, [*others, *results])
    print(f"{time.monotonic() - began:.0f} s, load of the machine {min(loads):.1f} to {max(loads):.1f}")


if __name__ == "__main__":
    main()
