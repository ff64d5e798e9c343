"""What a fleet costs: many resident targets at the default cycle, and blackbox_exporter beside it.

    python -m benchmarks.fleet [--targets 1000] [--seconds 120] [--warm-up 90] [--blackbox-seconds 60] [--replaced 0]

The targets are a Go program that replays recordings; it and the clients are processes and threads of their own, whose
CPU time is not counted as the exporter's. After the warm-up with the first round of each target, the exporter is
measured for a whole number of minutes, which are whole cycles. Then Debian's prometheus-blackbox-exporter probes the
same paths of the same targets at the same rate; it fetches and does not decode. With `--replaced 500`, so many targets
a minute go and others come, through a file: memory before and after then shows whether anything stays behind.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.fleet import blackbox, churn, stub
from benchmarks.fleet.page_load import HEADER, PROMETHEUS, PageLoad, read, requesting
from tests.lab import exporter

LAG = "pprof_exporter_loop_lag_seconds"
GOALS = "goals: at most 1 core, 300 MiB, 50 ms at the 99th percentile of /metrics, 4 times blackbox_exporter per fetch"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process had used at a time: CPU seconds and bytes of resident memory."""

    at: float
    cpu: float
    resident: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Now."""
        times = process.cpu_times()
        return cls(time.monotonic(), times.user + times.system, process.memory_info().rss)


Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def lag(before: Series, after: Series) -> str:
    """Quantiles of the loop's lag between two scrapes, as bounds of buckets, in milliseconds."""
    grown = {series: value - before.get(series, 0) for series, value in after.items()}
    counts = {float(dict(labels)["le"]): value for (_, labels), value in grown.items() if dict(labels).get("le")}
    total = max(counts.values())
    quantiles = [
        f"p{share * 100:g} <= {min(bound for bound, count in counts.items() if count >= share * total) * 1000:g}"
        for share in (0.5, 0.9, 0.99, 1.0)
    ]
    return f"loop lag, milliseconds: {', '.join(quantiles)}, mean {grown[f'{LAG}_sum', frozenset()] / total * 1000:.2f}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description="What a fleet costs.")
    parser.add_argument("--targets", type=int, default=1000, help="how many targets")
    parser.add_argument(
        "--seconds", type=float, default=120, help="how long to measure; whole minutes are whole cycles"
    )
    parser.add_argument("--warm-up", type=float, default=90, help="how long to wait before that")
    parser.add_argument("--scrape-every", type=float, default=1, help="seconds between two scrapes")
    parser.add_argument("--replaced", type=int, default=0, help="how many targets are replaced by others a minute")
    parser.add_argument("--blackbox-seconds", type=float, default=60, help="how long to probe; 0: not at all")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        targets = stack.enter_context(stub.running(options.targets + options.replaced))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(churn.listed(targets, folder, options.targets, options.replaced))
        config = churn.config(folder)
        per_fetch, mix = _exporter(targets, config, options)
        if options.blackbox_seconds:
            _blackbox(targets, mix, options.blackbox_seconds, per_fetch)
    print(GOALS)


def _exporter(targets: stub.Stub, config: Path, options: argparse.Namespace) -> tuple[float, dict[str, float]]:
    """Measure the exporter; returns its CPU seconds per fetch, and fetches per second of each path."""
    pages = [
        PageLoad("/metrics", PROMETHEUS, options.scrape_every),
        PageLoad("/metrics (not compressed)", {"Accept-Encoding": "identity"}, 20),
        PageLoad("/metrics?name[]=pprof_up", PROMETHEUS, 5),
        PageLoad("/-/healthy", {}, 0.1),
    ]
    with exporter.running(f"--config.file={config}", "--log.level=error") as program:
        process = psutil.Process(program.process.pid)
        with requesting(program.url, [PageLoad("/metrics", PROMETHEUS, 15)]):
            time.sleep(options.warm_up)
        before, counts_before, stub_before = Usage.of(process), targets.request_counts(), targets.cpu()
        scrape = read(program.url, LAG)
        with requesting(program.url, pages):
            time.sleep(options.seconds)
            after, counts_after, stub_after = Usage.of(process), targets.request_counts(), targets.cpu()
        last, lagged = read(program.url), read(program.url, LAG)
    seconds = after.at - before.at
    mix = {path: more / seconds for path, count in counts_after.items() if (more := count - counts_before.get(path, 0))}
    fetches = sum(mix.values())
    cores = (after.cpu - before.cpu) / seconds
    up = sum(value for (name, _), value in last.items() if name == "pprof_up")
    print(f"{options.targets} targets, {up:.0f} of them up, {len(last)} series, {seconds:.0f} s measured")
    resident = [usage.resident / 2**20 for usage in (before, after)]
    print(f"exporter: {cores:.3f} cores, {resident[0]:.0f} MiB resident before and {resident[1]:.0f} after")
    print(f"{fetches:.0f} fetches/s, {cores / fetches * 1e6:.0f} µs of CPU each, /metrics included")
    print(f"the stub, apart: {(stub_after - stub_before) / seconds:.3f} cores")
    print(lag(scrape, lagged))
    print(HEADER)
    for page in pages:
        print(page.row(), flush=True)
    return cores / fetches, mix


def _blackbox(targets: stub.Stub, mix: dict[str, float], seconds: float, per_fetch: float) -> None:
    found = blackbox.measure(targets, mix, seconds)
    each = found.cpu / found.probes
    print(
        f"blackbox_exporter: {found.probes / found.seconds:.0f} probes/s, {found.succeeded} of {found.probes} "
        f"succeeded, {found.cpu / found.seconds:.3f} cores, {each * 1e6:.0f} µs of CPU each"
    )
    print(f"CPU of the exporter per fetch, which it also decodes and serves: {per_fetch / each:.2f} times that")


if __name__ == "__main__":
    main()
