"""An hour of targets that do everything wrong: whether anything of the exporter rises, and what it takes at most.

    python -m benchmarks.soak [--minutes 60] [--warm-up 21] [--targets 300] [--replaced 20] [--faults all|NAME,...]
        [--lasts 60] [--healthy 0.33] [--seed 1] [--short-intervals] [--most-memory 450] [--json FILE] [--keep-log FILE]

Each of the targets is healthy for a third of the time and otherwise has one of its own four of the faults of
`benchmarks/soak/faults.py`, each for a while. `--replaced` of them a minute, the oldest, are replaced by others. The
exporter saves evidence, which it removes after five minutes, and statistics, to those of 10,000 other targets that are
gone: as many as it keeps. Every 15 seconds its memory, objects, descriptors, threads, tasks and series are counted; the
slope of each is taken after the warm-up, by whose end each of the first targets was replaced: from then on there are
as many of each age at any time, so nothing that is kept of a target may rise. Exits with 1 if one rises by more than
its noise, if memory, the time of /metrics or the log exceed their bound, or if there was a traceback or an internal
error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.fleet import churn
from benchmarks.fleet.page_load import HEADER, PROMETHEUS, PageLoad, requesting
from benchmarks.soak import targets as load
from benchmarks.soak.faults import FAULTS
from benchmarks.soak.history import write_history
from benchmarks.soak.report import Bounds, Result, broken
from benchmarks.soak.samples import LogVolume, Samples
from tests.lab import exporter

SAMPLE_EVERY = 15.0
EVIDENCE_LASTS = "5m"
LEAST_MEMORY = 275.0
"""MiB: the program with the statistics of all that are gone, and as many large replies as fit."""
SETTLES = 6
"""Minutes after which what is kept of targets that are gone has become small: statistics and evidence."""
_SHORT = {name: {"interval": "10s"} for name in ("heap", "allocs", "goroutine", "block", "mutex", "threadcreate")}


def parser() -> argparse.ArgumentParser:
    """The flags."""
    flags = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="A soak with faults at random.")
    flags.add_argument("--minutes", type=float, default=60, help="how long to measure, after the warm-up")
    flags.add_argument("--warm-up", type=float, help="minutes before that; by default until all were replaced")
    flags.add_argument("--targets", type=int, default=300, help="how many targets")
    flags.add_argument("--replaced", type=int, default=20, help="how many targets are replaced by others a minute")
    flags.add_argument("--faults", default="all", help="comma-separated, or all")
    flags.add_argument("--lasts", type=float, default=60, help="seconds for which a target does the same, on average")
    flags.add_argument("--healthy", type=float, default=0.33, help="share of the time for which a target is healthy")
    flags.add_argument("--seed", type=int, default=1, help="of the course of faults")
    flags.add_argument("--short-intervals", action="store_true", help="fetch every profile each ten seconds")
    flags.add_argument("--most-memory", type=float, help="MiB allowed; by default 1.5 a target, at least 275")
    flags.add_argument("--json", type=Path, help="write the figures to this file too")
    flags.add_argument("--keep-log", type=Path, help="copy the log of the exporter to this file")
    return flags


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; those that depend on others are set."""
    options = parser().parse_args(arguments)
    if options.warm_up is None:
        options.warm_up = SETTLES + (math.ceil(options.targets / options.replaced) if options.replaced else 10)
    if options.most_memory is None:
        options.most_memory = max(LEAST_MEMORY, 1.5 * options.targets)
    return options


def soak(options: argparse.Namespace) -> Result:
    """Run it; prints the progress."""
    faults = list(FAULTS) if options.faults == "all" else options.faults.split(",")
    with contextlib.ExitStack() as stack:
        more = round(options.replaced * (options.minutes + options.warm_up)) + 1
        course = {"seed": options.seed, "lasts": options.lasts, "healthy": options.healthy}
        targets = stack.enter_context(load.running(options.targets + more, faults, **course))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        insecure = {"tls_config": {"insecure_skip_verify": True}, "follow_redirects": True}
        profiles = {"profiles": _SHORT} if options.short_intervals else {}
        config = churn.config(folder, of_job=insecure, evidence={"max_age": EVIDENCE_LASTS}, **profiles)
        stack.enter_context(churn.listed(targets, folder, options.targets, options.replaced))
        counts, saved = folder / "counts.jsonl", folder / "saved"
        saved.mkdir()
        write_history(saved / "epochs.sqlite")
        program = stack.enter_context(
            exporter.running(
                f"--config.file={config}",
                f"--storage.path={saved}",
                module=("benchmarks.soak.watched", str(counts)),
            )
        )
        pages = [PageLoad("/metrics", PROMETHEUS, 5), PageLoad("/", {}, 20), PageLoad("/-/healthy", {}, 1)]
        stack.enter_context(requesting(program.url, pages))
        samples, page = Samples(psutil.Process(program.process.pid), program.url, counts), ""
        ends = time.monotonic() + 60 * (options.warm_up + options.minutes)
        while time.monotonic() < ends:
            time.sleep(min(SAMPLE_EVERY, max(0.1, ends - time.monotonic())))
            page = samples.take()
            print(samples.line(), flush=True)
        log = program.log
        if options.keep_log:
            options.keep_log.write_text(log)
        stopped = program.stop()
    return Result(options, samples, pages, LogVolume.of(log), page, stopped)


def main() -> int:
    """Run, print, and return the exit code."""
    options = parsed()
    result = soak(options)
    print(HEADER)
    for page in result.pages:
        print(page.row())
    for line in result.lines():
        print(line)
    problems = broken(result, Bounds(most_memory=options.most_memory))
    for problem in problems:
        print(f"BROKEN: {problem}")
    if options.json:
        figures: dict[str, Any] = {**result.figures(), "broken": problems}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
