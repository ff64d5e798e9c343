"""What the exporter used while it was measured: CPU time, memory, bytes fetched, and the lag of its event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

LAG = "pprof_exporter_loop_lag_seconds"
BYTES = "pprof_response_bytes_total"
_SAMPLE_EVERY = 0.5

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process had used at a time: CPU seconds, user and system, and bytes of resident memory."""

    at: float
    cpu: float
    resident: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Now."""
        times = process.cpu_times()
        return cls(time.monotonic(), times.user + times.system, process.memory_info().rss)


@dataclass(slots=True)
class Resident:
    """Resident memory over time."""

    most: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self, process: psutil.Process) -> Iterator[None]:
        """Take samples until the block ends."""
        thread = threading.Thread(target=self._watch, args=(process,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self, process: psutil.Process) -> None:
        while not self._stop.wait(_SAMPLE_EVERY):
            try:
                self.most = max(self.most, process.memory_info().rss)
            except psutil.Error:
                return


@dataclass(frozen=True, slots=True)
class Lag:
    """Lag of the event loop between two scrapes, in milliseconds."""

    quantiles: dict[float, float]
    """As `histogram_quantile` has them: linear within a bucket. That of 1 is the upper bound of the last one in use."""
    mean: float

    @classmethod
    def between(cls, before: Series, after: Series) -> Lag:
        """From the series of the histogram."""
        grown = {series: value - before.get(series, 0) for series, value in after.items()}
        counts = sorted((float(dict(labels)["le"]), n) for (_, labels), n in grown.items() if dict(labels).get("le"))
        quantiles = {share: _quantile(counts, share) * 1000 for share in (0.5, 0.9, 0.99, 1.0)}
        return cls(quantiles, grown[f"{LAG}_sum", frozenset()] / counts[-1][1] * 1000)

    def __str__(self) -> str:
        found = ", ".join(f"p{share * 100:g} {value:.3g}" for share, value in self.quantiles.items())
        return f"loop lag, milliseconds: {found}, mean {self.mean:.2f}"


def _quantile(counts: list[tuple[float, float]], share: float) -> float:
    """Of a histogram with these cumulative counts by upper bound, in ascending order."""
    rank = share * counts[-1][1]
    lower, seen = 0.0, 0.0
    for bound, count in counts:
        if count >= rank:
            return lower + (bound - lower) * (rank - seen) / (count - seen)
        lower, seen = bound, count
    return lower


def by_profile(before: Series, after: Series) -> dict[str, float]:
    """Bytes that were fetched between two scrapes, by profile."""
    found: dict[str, float] = {}
    for (name, labels), value in after.items():
        if name == BYTES:
            profile = dict(labels)["profile"]
            found[profile] = found.get(profile, 0) + value - before.get((name, labels), 0)
    return found
