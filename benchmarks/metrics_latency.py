"""How long /metrics takes to answer while targets are healthy, and while they do everything wrong.

    python -m benchmarks.metrics_latency

Builds and runs the Go target of the tests, points the exporter at it, and requests /metrics 20 times a second. The two
rows come from one run on one machine; the second is to be read against the first.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from tests.lab import exporter, go
from tests.lab.target import Target, running

SECONDS = 15
EVERY = 0.05
FAULTS = ("hang", "hang-body", "trickle", "bomb", "endless", "html", "truncated", "invalid")
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 2s}
profiles: {heap: {interval: 1s}, allocs: {interval: 1s}, goroutine: {interval: 1s}, block: {interval: 1s}}
"""


def measure(program: exporter.Exporter) -> list[float]:
    """Milliseconds of each reply."""
    took = []
    for _ in range(int(SECONDS / EVERY)):
        began = time.perf_counter()
        program.get("/metrics")
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(max(0.0, EVERY - (time.perf_counter() - began)))
    return took


def row(title: str, took: list[float]) -> str:
    """One line of the table."""
    cuts = statistics.quantiles(took, n=100)
    return f"{title:<24} {cuts[49]:8.1f} {cuts[94]:8.1f} {cuts[98]:8.1f} {max(took):8.1f}"


def break_everything(targets: list[Target]) -> None:
    """A different fault at every target, on every path."""
    for target, mode in zip(targets, FAULTS, strict=True):
        target.fault("*", mode, ms=100)
        target.fault("index", "none")


def main() -> None:
    """Run and print."""
    program = go.build(go.VERSIONS[-1])
    with contextlib.ExitStack() as stack:
        config = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "config.yaml"
        config.write_text(CONFIG)
        targets = [stack.enter_context(running(program)) for _ in FAULTS]
        urls = [target.url for target in targets]
        watched = stack.enter_context(exporter.running(*urls, f"--config.file={config}"))
        watched.wait_for(lambda now: len(now.find("pprof_heap_inuse_bytes")) == len(targets))
        print(f"{len(targets)} targets, {len(watched.scrape().values)} series; milliseconds of /metrics")
        print(f"{'':<24} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}")
        print(row("healthy", measure(watched)))
        break_everything(targets)
        print(row("everything wrong", measure(watched)))
        if "Traceback" in watched.log:
            raise SystemExit("the exporter printed a traceback")


if __name__ == "__main__":
    main()
