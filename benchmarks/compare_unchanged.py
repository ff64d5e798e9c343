"""What `compare` says of a program that did not change: each repetition with a verdict is a false one.

    python -m benchmarks.compare_unchanged [--repetitions 20] [--rounds 8] [--window 3] [--system linux]

Starts the Go target of the tests with a busy thread and some contention, captures it, ends it, and does the same once
more, as around an upgrade that brought nothing new; then compares the two. Prints for each repetition what was called
worse or better and which functions were said to have moved, and how many signals could not be compared. Exits with 1 if
more than one repetition in twenty had any of these.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from pprof_exporter.capture.reader import load_capture
from pprof_exporter.cli import main as command
from pprof_exporter.compare.captures import compare_captures
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport
from tests.lab import go
from tests.lab.target import running

ACCEPTED = 0.05
"""Share of repetitions that may be wrong: that is what the correction promises."""


def captured(program: Path, folder: Path, options: argparse.Namespace) -> None:
    """One capture of a fresh process."""
    with running(program, wine=options.system == "windows") as target:
        target.control("rates", block=10_000_000, mutex=100)
        target.control("contend", workers=2)
        target.control("burn", threads=1)
        argv = ["capture", target.url, f"--output={folder}", f"--rounds={options.rounds}"]
        code = command([*argv, "--every=100ms", f"--scrape.cpu-window={options.window}s"], {})
    if code:
        raise SystemExit(f"the capture ended with {code}")


def said(report: ComparisonReport) -> list[str]:
    """Every verdict that there should not be."""
    wrong = [
        f"{one.signal} {one.verdict}"
        for one in report.signals
        if one.verdict in (ChangeVerdict.WORSE, ChangeVerdict.BETTER)
    ]
    return wrong + [f"{one.kind} {one.function} {one.movement}" for pair in report.pairs for one in pair.moved]


def main() -> int:
    """Run all repetitions; returns the exit code."""
    parser = argparse.ArgumentParser(description="Compare captures of an unchanged program.")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--window", type=int, default=3)
    parser.add_argument("--system", choices=("linux", "windows"), default="linux")
    options = parser.parse_args()
    program = go.build("1.24.11" if options.system == "windows" else go.VERSIONS[-1], options.system)
    wrong = 0
    for repetition in range(options.repetitions):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            folders = [Path(place) / side for side in ("before", "after")]
            for folder in folders:
                captured(program, folder, options)
            report = compare_captures(*map(load_capture, folders))
        found = said(report)
        wrong += bool(found)
        counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in ChangeVerdict if report.count(verdict))
        took = time.monotonic() - began
        print(f"{repetition + 1:2}: {'; '.join(found) or 'no false verdict'} ({counts}; {took:.0f} s)", flush=True)
    print(f"{options.repetitions - wrong} of {options.repetitions} repetitions without a false verdict")
    return int(wrong > ACCEPTED * options.repetitions)


if __name__ == "__main__":
    sys.exit(main())
