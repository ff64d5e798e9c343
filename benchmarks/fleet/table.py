"""Prints the figures of several runs as the table of docs/scaling.md.

    python -m benchmarks.fleet.table small.json prometheus.json large.json

Each file is what `python -m benchmarks.fleet --json FILE` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROWS = (
    ("CPU, in cores", "cores", "{:.2f}"),
    ("CPU per fetch, all included", "cpu_ms_per_fetch", "{:.2f} ms"),
    ("fetches per second", "fetches_per_second", "{:.0f}"),
    ("received per second", "kib_per_second", "{:,.0f} KiB"),
    ("series", "series", "{:,.0f}"),
    ("resident memory, at most", "resident_most_mib", "{:.0f} MiB"),
    ("`/metrics` with gzip, p50", "metrics_p50_ms", "{:.0f} ms"),
    ("`/metrics` with gzip, p99", "metrics_p99_ms", "{:.0f} ms"),
    ("`/-/healthy` at the same time, p99", "healthy_p99_ms", "{:.0f} ms"),
    ("lag of the event loop, p99", "loop_lag_p99_ms", "{:.0f} ms"),
)


def table(runs: list[dict[str, Any]]) -> str:
    """A row for each figure, a column for each run."""
    for run in runs:
        run["cpu_ms_per_fetch"] = run["cpu_seconds_per_fetch"] * 1000
        run["kib_per_second"] = run["bytes_per_second"] / 1024
    lines = [
        "| " + " | ".join([f"{runs[0]['targets']:,} targets", *(run["mix"] for run in runs)]) + " |",
        "| --- " * (len(runs) + 1) + "|",
    ]
    for title, name, form in ROWS:
        cells = ["unknown" if run[name] is None else form.format(run[name]) for run in runs]
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table([json.loads(Path(file).read_text()) for file in sys.argv[1:]]))
