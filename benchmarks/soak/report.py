"""The result of a soak: its figures, and which bounds are broken."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.fleet.page_load import PageLoad
from benchmarks.soak.samples import BLOCKS, DESCRIPTORS, OBJECTS, RESIDENT, SERIES, TASKS, THREADS, LogVolume, Samples
from benchmarks.soak.trend import Trend, trend

_ERRORS = re.compile(r"^pprof_exporter_internal_errors_total ([0-9.e+]+)$", re.MULTILINE)
_REASON = re.compile(r'^pprof_(?:fetch|decode)_failures_total\{.*reason="([a-z0-9_]+)".*\} ([0-9.e+]+)$', re.MULTILINE)
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """By how much a figure may rise in an hour: a share of its level, or `least`, and more if that is its noise."""

    share: float
    least: float


RISING: dict[str, Bound] = {
    RESIDENT: Bound(0.05, 5),
    OBJECTS: Bound(0.03, 5_000),
    BLOCKS: Bound(0.03, 10_000),
    SERIES: Bound(0.03, 300),
    DESCRIPTORS: Bound(0.05, 3),
    TASKS: Bound(0.05, 5),
    THREADS: Bound(0.0, 1),
}
"""What is sampled, and how it may rise."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may not be exceeded."""

    most_memory: float
    """MiB of resident memory."""
    slowest_page: float = 1000
    """Milliseconds of /metrics."""
    lines_of_a_target: float = 20
    """Lines of the log about one target: ten at once, and five an hour."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that was measured. `page` is the last page of metrics, `stopped` the exit code of the exporter."""

    options: argparse.Namespace
    samples: Samples
    pages: list[PageLoad]
    log: LogVolume
    page: str
    stopped: int

    @property
    def trends(self) -> dict[str, Trend]:
        """The trend of each figure after the warm-up."""
        after = 60 * float(self.options.warm_up)
        found = {
            name: [point for point in points if point[0] >= after] for name, points in self.samples.figures.items()
        }
        return {name: trend(found[name]) for name in RISING}

    @property
    def internal_errors(self) -> float:
        """As the exporter counts them."""
        return sum(map(float, _ERRORS.findall(self.page)))

    def reasons(self) -> dict[str, float]:
        """Failed fetches by reason."""
        found: dict[str, float] = {}
        for reason, count in _REASON.findall(self.page):
            found[reason] = found.get(reason, 0) + float(count)
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def lines(self) -> Iterator[str]:
        """For people."""
        for name, found in self.trends.items():
            rises = found.rises(share=RISING[name].share, least=RISING[name].least)
            yield f"{name:<14} {found}: {'rises' if rises else 'within noise'}"
        yield f"resident memory at most {self.samples.highest:.0f} MiB; {self.samples.cpu:.0f} s of CPU time"
        log = self.log
        yield (
            f"log: {log.bytes / 1024:.0f} KiB, {log.lines} lines, {log.lines_of_each:.1f} about each of "
            f"{len(log.by_target)} targets, at most {log.most_of_a_target}, {log.tracebacks} tracebacks"
        )
        for message, count in sorted(log.by_message.items(), key=lambda pair: -pair[1])[:_SHOWN]:
            yield f"  {count:6} {message}"
        yield f"failures: {self.reasons()}"
        grown = self.samples.grown_families(60 * float(self.options.warm_up))
        yield f"families with more series: {grown[:_SHOWN]}"

    def figures(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "options": {name: str(value) for name, value in vars(self.options).items()},
            "trends": {
                name: {"slope": found.slope, "error": found.error, "level": found.level}
                for name, found in self.trends.items()
            },
            "resident_most_mib": self.samples.highest,
            "cpu_seconds": self.samples.cpu,
            "log_bytes": self.log.bytes,
            "log_lines": self.log.lines,
            "log_lines_of_each_target": self.log.lines_of_each,
            "log_lines_of_a_target_at_most": self.log.most_of_a_target,
            "metrics_p99_ms": self.pages[0].quantile(0.99),
            "metrics_max_ms": max(self.pages[0].took, default=None),
            "tracebacks": self.log.tracebacks,
            "internal_errors": self.internal_errors,
            "failures": self.reasons(),
            "samples": self.samples.figures,
        }


def broken(result: Result, bounds: Bounds) -> list[str]:
    """What is wrong, as sentences."""
    found = [
        f"{name} rises: {rising}"
        for name, rising in result.trends.items()
        if rising.rises(share=RISING[name].share, least=RISING[name].least)
    ]
    page = result.pages[0]
    slowest = max(page.took, default=float("inf"))
    if result.samples.highest > bounds.most_memory:
        found.append(f"resident memory was {result.samples.highest:.0f} MiB, more than {bounds.most_memory:.0f}")
    if slowest > bounds.slowest_page or page.failed:
        found.append(f"/metrics took {slowest:.0f} ms, and did not answer {page.failed} times")
    if result.log.most_of_a_target > bounds.lines_of_a_target:
        found.append(f"the log has {result.log.most_of_a_target} lines about one target")
    if result.log.tracebacks or result.internal_errors:
        found.append(f"{result.log.tracebacks} tracebacks, {result.internal_errors:.0f} internal errors")
    if result.stopped:
        found.append(f"the exporter ended with {result.stopped}")
    return found
