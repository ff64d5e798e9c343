"""What a fleet costs: many resident targets at the default cycle, and blackbox_exporter beside it.

    python -m benchmarks.fleet [--mix small|prometheus|large] [--targets 1000] [--seconds 120] [--warm-up 90]
        [--blackbox-seconds 60] [--replaced 0] [--one-core] [--storage] [--json FILE] [--sizes]

The targets are a Go program that replays what the programs of a mix answer, see `mixes`; it and the clients are
processes and threads of their own, whose CPU time is not counted as the exporter's. After the warm-up with the first
round of each target, the exporter is measured for a whole number of minutes, which are whole cycles. Then Debian's
prometheus-blackbox-exporter probes the same paths of the same targets at the same rate; it fetches and does not decode.

`--replaced 500`: so many targets a minute go and others come, through a file; memory before and after shows whether
anything stays behind. `--one-core`: the exporter, with all its threads, has a processor of its own, and targets and
clients have the others; without it they share all of them. `--storage`: statistics and evidence are saved in a folder,
as in the shipped stand-alone deployments. `--json FILE` writes the figures too. `--sizes` prints the sizes of the mix,
and measures nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.fleet import blackbox, churn, mixes, stub
from benchmarks.fleet.measured import BYTES, LAG, Lag, Resident, Series, Usage, by_profile
from benchmarks.fleet.page_load import HEADER, PROMETHEUS, PageLoad, read, requesting
from tests.lab import exporter

GOALS = (
    "goals for 1,000 targets: /metrics p99 50 ms, loop lag p99 20 ms, 400 MB; "
    "large: 1 core, prometheus: 0.5, small: 0.4"
)
_KIB = 1024
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Result:
    """What the exporter cost."""

    cores: float
    rates: dict[str, float]
    """Fetches per second of each path."""
    figures: dict[str, Any]
    """For `--json`."""

    @property
    def per_fetch(self) -> float:
        """CPU seconds of one fetch, with all that the exporter does besides."""
        return self.cores / sum(self.rates.values())


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description="What a fleet costs.")
    parser.add_argument("--mix", choices=mixes.MIXES, default=mixes.SMALL, help="which programs the targets are")
    parser.add_argument("--targets", type=int, default=1000, help="how many targets")
    parser.add_argument(
        "--seconds", type=float, default=120, help="how long to measure; whole minutes are whole cycles"
    )
    parser.add_argument("--warm-up", type=float, default=90, help="how long to wait before that")
    parser.add_argument("--scrape-every", type=float, default=1, help="seconds between two scrapes")
    parser.add_argument("--replaced", type=int, default=0, help="how many targets are replaced by others a minute")
    parser.add_argument("--blackbox-seconds", type=float, default=60, help="how long to probe; 0: not at all")
    parser.add_argument("--one-core", action="store_true", help="give the exporter one processor of its own")
    parser.add_argument("--storage", action="store_true", help="save statistics and evidence in a folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--sizes", action="store_true", help="print the sizes of the mix, and measure nothing")
    options = parser.parse_args()
    _print_sizes(options.mix)
    if options.sizes:
        return
    alone = _processor() if options.one_core else None
    with contextlib.ExitStack() as stack:
        recordings = mixes.recordings(options.mix)
        targets = stack.enter_context(stub.running(options.targets + options.replaced, recordings))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(churn.listed(targets, folder, options.targets, options.replaced))
        flags = [f"--config.file={churn.config(folder)}", "--log.level=error"]
        if options.storage:
            flags.append(f"--storage.path={folder / 'saved'}")
        result = _exporter(targets, flags, options, alone)
        if options.blackbox_seconds:
            _blackbox(targets, result, options.blackbox_seconds)
    if options.json:
        options.json.write_text(json.dumps(result.figures, indent=2) + "\n")
    print(GOALS)


def _print_sizes(mix: str) -> None:
    """Print how large the replies of a mix are."""
    print(f"mix {mix}: {'KiB':<8}{'smallest':>10}{'mean':>10}{'largest':>10}")
    for kind, found in mixes.sizes(mix).items():
        row = (found[0], statistics.fmean(found), found[-1])
        print(f"  {kind:<17}" + "".join(f"{size / _KIB:10.1f}" for size in row))


def _processor() -> int:
    """A processor for the exporter; this process, and all that it starts, gets the others. Not on macOS."""
    *others, last = psutil.Process().cpu_affinity()
    if not others:
        raise SystemExit("--one-core needs two processors")
    psutil.Process().cpu_affinity(others)
    return last


def _exporter(targets: stub.Stub, flags: list[str], options: argparse.Namespace, alone: int | None) -> Result:
    """Measure the exporter with these flags, which runs on the processor `alone` if given."""
    pages = [
        PageLoad("/metrics", PROMETHEUS, options.scrape_every),
        PageLoad("/metrics (not compressed)", {"Accept-Encoding": "identity"}, 20),
        PageLoad("/metrics?name[]=pprof_up", PROMETHEUS, 5),
        PageLoad("/-/healthy", {}, 0.1),
    ]
    with exporter.running(*flags) as program:
        process, resident = psutil.Process(program.process.pid), Resident()
        if alone is not None:
            for thread in process.threads():
                psutil.Process(thread.id).cpu_affinity([alone])
        with resident.watching(process):
            with requesting(program.url, [PageLoad("/metrics", PROMETHEUS, 15)]):
                time.sleep(options.warm_up)
            scrape = read(program.url, LAG, BYTES)
            before, counts_before, stub_before = Usage.of(process), targets.request_counts(), targets.cpu()
            with requesting(program.url, pages):
                time.sleep(options.seconds)
                after, counts_after, stub_after = Usage.of(process), targets.request_counts(), targets.cpu()
        last, ended = read(program.url), read(program.url, LAG, BYTES)
    seconds = after.at - before.at
    rates = {
        path: more / seconds for path, count in counts_after.items() if (more := count - counts_before.get(path, 0))
    }
    result = Result((after.cpu - before.cpu) / seconds, rates, {})
    lag = Lag.between(_of(scrape, LAG), _of(ended, LAG))
    fetched = {profile: size / seconds for profile, size in by_profile(scrape, ended).items()}
    up = sum(value for (name, _), value in last.items() if name == "pprof_up")
    print(f"{options.targets} targets, {up:.0f} of them up, {len(last)} series, {seconds:.0f} s measured")
    print(
        f"exporter: {result.cores:.3f} cores, {before.resident / _MIB:.0f} MiB resident before, "
        f"{after.resident / _MIB:.0f} after, {resident.most / _MIB:.0f} at most"
    )
    print(f"{sum(rates.values()):.0f} fetches/s, {result.per_fetch * 1e6:.0f} µs of CPU each, /metrics included")
    print(f"{sum(fetched.values()) / _KIB:.0f} KiB/s of replies, metrics pages left out")
    print(f"the stub, apart: {(stub_after - stub_before) / seconds:.3f} cores")
    print(lag)
    print(HEADER)
    for page in pages:
        print(page.row(), flush=True)
    result.figures.update(
        mix=options.mix,
        targets=options.targets,
        up=up,
        series=len(last),
        seconds=seconds,
        cores=result.cores,
        resident_most_mib=resident.most / _MIB,
        resident_mib=after.resident / _MIB,
        fetches_per_second=sum(rates.values()),
        bytes_per_second=sum(fetched.values()),
        bytes_per_second_of=fetched,
        cpu_seconds_per_fetch=result.per_fetch,
        metrics_p50_ms=pages[0].quantile(0.5),
        metrics_p99_ms=pages[0].quantile(0.99),
        healthy_p99_ms=pages[-1].quantile(0.99),
        loop_lag_p99_ms=lag.quantiles[0.99],
        loop_lag_mean_ms=lag.mean,
        sizes={
            kind: {"smallest": found[0], "mean": statistics.fmean(found), "largest": found[-1]}
            for kind, found in mixes.sizes(options.mix).items()
        },
    )
    return result


def _of(series: Series, family: str) -> Series:
    return {key: value for key, value in series.items() if key[0].startswith(family)}


def _blackbox(targets: stub.Stub, result: Result, seconds: float) -> None:
    found = blackbox.measure(targets, result.rates, seconds)
    each = found.cpu / found.probes
    print(
        f"blackbox_exporter: {found.probes / found.seconds:.0f} probes/s, {found.succeeded} of {found.probes} "
        f"succeeded, {found.cpu / found.seconds:.3f} cores, {each * 1e6:.0f} µs of CPU each"
    )
    print(f"CPU of the exporter per fetch, which it also decodes and serves: {result.per_fetch / each:.2f} times that")
    result.figures["blackbox_cpu_seconds_per_probe"] = each


if __name__ == "__main__":
    main()
