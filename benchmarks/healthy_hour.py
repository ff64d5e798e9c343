"""What the shipped rules say of healthy, busy programs: nothing fires, and nothing is pending twice in a row.

    python -m benchmarks.healthy_hour [--minutes 60]

Builds and runs the Go target of the tests, on Linux and, where Wine is, as a Windows build, with a busy thread and
some contention; watches them with the exporter as it is by default, and with a Prometheus that has the shipped rules
as they are. Prints every alert that was ever pending, for how long, and exits with 1 if one was at two evaluations or
more. An alert of severity `info` that states a fact about the program is printed, and is no failure.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from tests.lab import PROJECT, Missing, exporter, go, prometheus
from tests.lab.target import Target, running

EVERY = 15
"""Seconds between two evaluations, and between two scrapes."""


def started(stack: contextlib.ExitStack) -> list[Target]:
    """The programs, at work."""
    targets = [stack.enter_context(running(go.build(go.VERSIONS[-1])))]
    try:
        targets.append(stack.enter_context(running(go.build(go.VERSIONS[-1], "windows"), wine=True)))
    except Missing as missing:
        print(f"without a Windows build: {missing}")
    for target in targets:
        target.control("rates", block=10_000_000, mutex=100)
        target.control("contend", workers=2)
    targets[0].control("burn", threads=1)
    return targets


def seen(server: prometheus.Prometheus, minutes: float) -> dict[tuple[str, str, str], float]:
    """Evaluations at which each alert was there, by name, severity and state: the most that any one series had."""
    window = f"{round(minutes * 60) + 60}s"
    counted = server.query(f"max by (alertname, severity, alertstate) (count_over_time(ALERTS[{window}]))")
    return {(by["alertname"], by["severity"], by["alertstate"]): count for by, count in counted}


def main() -> int:
    """Run for the time; returns the exit code."""
    parser = argparse.ArgumentParser(description="Watch healthy programs with the shipped rules.")
    parser.add_argument("--minutes", type=float, default=60)
    minutes: float = parser.parse_args().minutes
    with contextlib.ExitStack() as stack:
        targets = started(stack)
        program = stack.enter_context(exporter.running(*(target.url for target in targets)))
        config = {
            "global": {"scrape_interval": f"{EVERY}s", "scrape_timeout": "10s", "evaluation_interval": f"{EVERY}s"},
            "rule_files": [str(PROJECT / "rules" / "pprof.rules.yaml")],
            "scrape_configs": [{"job_name": "pprof", "static_configs": [{"targets": [program.url[7:]]}]}],
        }
        server = stack.enter_context(prometheus.running(config))
        end = time.monotonic() + minutes * 60
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(300, left))
            print(
                f"{minutes - max(0, end - time.monotonic()) / 60:.0f} min: {seen(server, minutes) or 'nothing'}",
                flush=True,
            )
        found = seen(server, minutes)
    bad = {key: count for key, count in found.items() if key[1] != "info" and (count > 1 or key[2] == "firing")}
    print(f"alerts pending or firing at two evaluations or more: {bad or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
