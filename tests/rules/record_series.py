"""Record what the exporter says of a healthy program over ten minutes: the day of test_healthy_day.py is made of it.

python -m tests.rules.record_series [linux-go1.27.3 ...]

Each recording is a text, packed: a first line with the times of the scrapes, then a line for each series with its value
at each of them, `_` where it was not there. The program is busy for the first part, and idle for the rest.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab import PROJECT, exporter, go
from tests.lab.go import System
from tests.lab.target import Target, running
from tests.record.privacy import check

FOLDER = PROJECT / "tests" / "recordings" / "series"
SETS = ("linux-go1.27.3", "windows-go1.27.3")
LIMIT = 150_000

STEP = 15
BUSY, IDLE = 26, 16
"""Scrapes of each part; the first few of the busy one are without the profiles that come late."""


def record(name: str) -> None:
    """Record tests/recordings/series/NAME.txt.gz."""
    system, _, version = name.partition("-go")
    goos: System = "windows" if system == "windows" else "linux"
    with running(go.build(version, goos), wine=goos == "windows") as target:
        work(target)
        with exporter.running(target.url) as watching:
            times, lines = scrapes(watching, target)
    if any(set(values) - {"_", "0.0"} for series, values in lines.items() if series.startswith("pprof_changes_total")):
        raise SystemExit("the program or its system changed meanwhile: record it again")
    rows = [" ".join([series, *values]) for series, values in sorted(lines.items())]
    text = "\n".join([" ".join(["time", *times]), *rows]) + "\n"
    text = text.replace(urlsplit(target.url).netloc, f"shop-{system}:6060")
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Without a time, so that the same text is the same file.
    (FOLDER / f"{name}.txt.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def work(target: Target) -> None:
    """Be a service with one busy thread, a pool of workers, a cache, and both contention profiles on."""
    target.control("rates", block=1, mutex=1)
    target.control("heap", mib=24)
    target.control("leak", how="select", n=24)
    target.control("contend", workers=2)
    target.control("burn", threads=1)


def rest(target: Target) -> None:
    """Nothing to do: the workers wait, the cache stays."""
    target.control("burn", threads=0)
    target.control("contend", workers=0)


def scrapes(watching: exporter.Exporter, target: Target) -> tuple[list[str], dict[str, list[str]]]:
    """Times, and the values of each series, both as the exposition writes them."""
    times: list[str] = []
    lines: dict[str, list[str]] = defaultdict(list)
    start = time.time()
    for number in range(BUSY + IDLE):
        if number == BUSY:
            rest(target)
        time.sleep(max(0.0, start + STEP * number + 2 - time.time()))
        text, _ = watching.get("/metrics")
        for line in text.splitlines():
            if not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values = lines[series]
                values += ["_"] * (number - len(values)) + [value]
        times.append(f"{time.time():.3f}")
    count = len(times)
    return times, {series: values + ["_"] * (count - len(values)) for series, values in lines.items()}


def read(file: Path) -> tuple[list[float], dict[str, list[float | None]]]:
    """Times and series of a recording."""
    first, *rows = gzip.decompress(file.read_bytes()).decode().splitlines()
    series: dict[str, list[float | None]] = {}
    times = [float(word) for word in first.split()[1:]]
    for row in rows:
        *name, values = _split(row, len(times))
        series[" ".join(name)] = [None if value == "_" else float(value) for value in values.split()]
    return times, series


def _split(row: str, count: int) -> Sequence[str]:
    """Name and values; a label may have blanks."""
    words = row.split(" ")
    return [" ".join(words[:-count]), " ".join(words[-count:])]


def main() -> None:
    """Record what the command line names, both by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET", help=f"some of {', '.join(SETS)}")
    for name in parser.parse_args().sets:
        print(f"recording {name}, {STEP * (BUSY + IDLE)} s", flush=True)
        record(name)
    check(FOLDER, LIMIT)


if __name__ == "__main__":
    main()
