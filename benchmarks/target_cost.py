"""What being watched costs a target: CPU time at the default settings, and the latency of its other requests.

    python -m benchmarks.target_cost [--pairs 5] [--seconds 120] [--loads idle loaded large]

Runs the Go target of the tests in windows without and with the exporter, a process of its own with no setting changed,
and compares the CPU time of the target in each pair of windows that follow one another. Every other pair has the two in
the other order, so that what drifts on the machine cancels out. A twin of the target, under the same load at the same
time and never watched, shows what the machine did meanwhile: its difference is taken off. All shares are of one core.

A window with the exporter begins right after its second CPU profile, when the fetches have their usual rhythm: with a
multiple of 60 seconds it holds whole cycles. What comes at longer intervals (memory statistics, the goroutineleak
profile, the audit of the sampling clock) is in the column `first look`: CPU milliseconds of one round of everything.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from tests.lab import exporter, go
from tests.lab.exporter import Exporter, Scrape
from tests.lab.target import Target, running

EVERY = 0.2
"""Seconds between two requests of which the latency is taken, in both kinds of window alike. More of them would cost
the target more than the exporter does."""

CHEAP = "/login"
"""A page of the target that has nothing to do with pprof, and is not profiled."""

PATIENCE = 180.0
"""Seconds within which a new exporter must have taken two CPU profiles."""

REST = 2.0
"""Seconds to come to rest after the exporter has ended."""

FIRST_LOOK = ("cpu", "heap", "allocs", "goroutine", "goroutineleak", "block", "mutex", "threadcreate", "memstats")


def _idle(_: Target) -> None:
    """Nothing but the few requests of this benchmark."""


def _loaded(target: Target) -> None:
    """Four workers that wait for a lock, a channel and timers: their own CPU time is low, and about the same always.

    A loop that keeps a core busy would not do: it uses one core with the exporter and without, or as much as the rest
    of the machine leaves to it, and what is taken from its work shows nowhere. More workers make more noise.
    """
    target.control("rates", block=10_000, mutex=10)
    target.control("contend", workers=4)


def _large(target: Target) -> None:
    """10,000 goroutines on four stacks, 256 MiB of live heap, and a record for nearly every place that allocates."""
    target.control("rates", heap=512)
    for how in ("chan", "send", "select", "mutex"):
        target.control("leak", how=how, n=2_500)
    target.control("heap", mib=256)
    target.control("gc")


LOADS: dict[str, Callable[[Target], None]] = {"idle": _idle, "loaded": _loaded, "large": _large}


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time: CPU seconds of the target, and of its twin, per second; seconds of each cheap request."""

    share: float
    twin: float
    took: list[float]


@dataclass(slots=True)
class Cost:
    """The windows of one load, in pairs, and the CPU seconds of each first round."""

    without: list[Window] = field(default_factory=list)
    watched: list[Window] = field(default_factory=list)
    first_rounds: list[float] = field(default_factory=list)

    @property
    def added(self) -> list[float]:
        """By pair, the share that the exporter adds."""
        return [
            (watched.share - watched.twin) - (without.share - without.twin)
            for without, watched in zip(self.without, self.watched, strict=True)
        ]


class Bench:
    """One target under one load, and its twin."""

    def __init__(self, target: Target, twin: Target, seconds: float) -> None:
        self._target = target
        self._seconds = seconds
        self._process = psutil.Process(target.process.pid)
        self._twin = psutil.Process(twin.process.pid)

    def measure(self, pairs: int) -> Cost:
        """All windows: without, with, with, without, and so on, the exporter running through neighbours."""
        cost = Cost()
        with contextlib.ExitStack() as watching:
            is_watched = False
            for number in range(2 * pairs):
                wanted = number % 4 in (1, 2)
                if wanted and not is_watched:
                    program = watching.enter_context(exporter.running(self._target.url))
                    cost.first_rounds.append(self._first_round(program, cost.without[-1].share))
                    program.wait_for(lambda now: fetched(now, {"cpu": 2}), within=PATIENCE)
                elif is_watched and not wanted:
                    watching.close()
                    time.sleep(REST)
                is_watched = wanted
                (cost.watched if wanted else cost.without).append(self._window())
        return cost

    def _first_round(self, program: Exporter, share: float) -> float:
        """CPU seconds that one round of everything costs on top of what the load uses, `share` of a core."""
        kinds = [kind for kind in FIRST_LOOK if self._target.go.startswith("go1.27") or kind != "goroutineleak"]
        deadline = time.monotonic() + PATIENCE

        def goes_on() -> bool:
            if time.monotonic() > deadline:
                raise AssertionError(f"the first round did not end; the log says:\n{program.log}")
            return not fetched(program.scrape(), dict.fromkeys(kinds, 1))

        used, passed, _ = self._request_while(goes_on)
        return used - share * passed

    def _window(self) -> Window:
        end, before = time.monotonic() + self._seconds, _cpu(self._twin)
        used, passed, took = self._request_while(lambda: time.monotonic() < end)
        return Window(used / passed, (_cpu(self._twin) - before) / passed, took)

    def _request_while(self, goes_on: Callable[[], bool]) -> tuple[float, float, list[float]]:
        """CPU seconds, seconds, and the latencies of the requests that were made meanwhile."""
        with _client(self._target) as request:
            request()
            began, before, took = time.perf_counter(), _cpu(self._process), []
            while goes_on():
                now = time.perf_counter()
                took.append(request())
                time.sleep(max(0.0, now + EVERY - time.perf_counter()))
            return _cpu(self._process) - before, time.perf_counter() - began, took


def _cpu(process: psutil.Process) -> float:
    """CPU seconds so far, in steps of 10 ms."""
    times = process.cpu_times()
    return times.user + times.system


@contextlib.contextmanager
def _client(target: Target) -> Iterator[Callable[[], float]]:
    """A function that makes one cheap request over a connection that stays, and returns its seconds."""
    connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=30)

    def request() -> float:
        began = time.perf_counter()
        connection.request("GET", CHEAP)
        connection.getresponse().read()
        return time.perf_counter() - began

    with contextlib.closing(connection):
        yield request


def fetched(now: Scrape, least: dict[str, int]) -> bool:
    """Whether each of these profiles was fetched so many times."""
    return all(
        (now.value("pprof_fetches_total", profile=profile, outcome="success") or 0) >= times
        for profile, times in least.items()
    )


def row(name: str, *cells: str) -> str:
    """One line of a table."""
    return f"{name:<10}" + "".join(f"{cell:>12}" for cell in cells)


def figures(name: str, cost: Cost) -> str:
    """The line of one load."""
    own = statistics.median(window.share for window in cost.without)
    cells = [own, statistics.median(cost.added), min(cost.added), max(cost.added)]
    first_round = statistics.median(cost.first_rounds) * 1000
    latencies = [f"{1000 * cut:.2f}" for windows in (cost.without, cost.watched) for cut in _cuts(windows)]
    return row(name, *(f"{100 * cell:.3f} %" for cell in cells), f"{first_round:.0f} ms", *latencies)


def _cuts(windows: list[Window]) -> tuple[float, float]:
    """Median and 99th percentile of all requests of these windows."""
    cuts = statistics.quantiles([seconds for window in windows for seconds in window.took], n=100)
    return cuts[49], cuts[98]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.target_cost", description="What being watched costs.")
    parser.add_argument("--pairs", type=int, default=5, help="windows without and with the exporter, of each load")
    parser.add_argument("--seconds", type=float, default=120, help="length of a window; whole minutes are whole cycles")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), help="which loads")
    options = parser.parse_args()
    version = go.VERSIONS[-1]
    program = go.build(version)
    print(f"Go {version}, {options.pairs} pairs of {options.seconds:g} s; CPU in shares of one core, latency in ms")
    print(row("", "without", "added", "least", "most", "first look", "p50", "p99", "p50 with", "p99 with"), flush=True)
    for name in options.loads:
        with running(program) as target, running(program) as twin:
            LOADS[name](target)
            LOADS[name](twin)
            time.sleep(REST)
            print(figures(name, Bench(target, twin, options.seconds).measure(options.pairs)), flush=True)


if __name__ == "__main__":
    main()
