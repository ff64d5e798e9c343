"""Measure the grid on this machine and write it to a file.

    python -m benchmarks.coverage.measure [--windows 9] [--at-once 0.6] [--write coverage.json]

Each cell runs WINDOWS profiles of 5 s. Light programs run at once, together at most `--at-once` of a core; a program
that needs more runs alone. Run it as root, so that its programs have the highest priority.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from pathlib import Path

from benchmarks.coverage.cells import LOADS, Cell, build, groups, measure, to_json
from tests.lab import go

LINUX_THREADS = (1, 4, 8)
WINDOWS_THREADS = (1, 4)


def grid(versions: tuple[str, ...]) -> list[Cell]:
    """All cells: Linux, then Windows builds under Wine, for which the two shortest bursts are left out."""
    linux = [Cell(load, threads, version, "linux") for version in versions for load in LOADS for threads in LINUX_THREADS]
    windows = [
        Cell(load, threads, version, "windows") for version in versions for load in LOADS[1:] for threads in WINDOWS_THREADS
    ]
    return linux + windows


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Measure the coverage of CPU samples.")
    parser.add_argument("--windows", type=int, default=9)
    parser.add_argument("--at-once", type=float, default=0.6)
    parser.add_argument("--write", type=Path, default=Path("coverage.json"))
    options = parser.parse_args()
    if os.geteuid() == 0:
        # With autogroups, the niceness of a process only counts within its session.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text("-20", encoding="ascii")
    cells = grid(go.VERSIONS)
    for cell in cells:
        build(cell.version, cell.system)
    began, loads, found = time.monotonic(), [], []
    for system in ("linux", "windows"):
        for group in groups([cell for cell in cells if cell.system == system], options.at_once):
            windows = options.windows if group[0].load.period and system == "linux" else max(3, options.windows // 2)
            for measured in measure(group, windows):
                found.append(measured)
                cell = measured.cell
                print(
                    f"{cell.system:8} {cell.version:8} {cell.load.title:18} x{cell.threads} "
                    f"{measured.coverage:.3f} sd {measured.deviation:.3f} of {measured.share:.4f} cores, "
                    f"{measured.samples} samples, stop {measured.stop * 1e3:.1f} ms",
                    flush=True,
                )
            loads.append(os.getloadavg()[0])
    options.write.write_text(
        json.dumps({"kernel": os.uname().release, "loads": loads, "cells": [to_json(one) for one in found]}),
        encoding="utf-8",
    )
    print(f"{time.monotonic() - began:.0f} s, load of the machine {min(loads):.1f} to {max(loads):.1f}")


if __name__ == "__main__":
    main()
