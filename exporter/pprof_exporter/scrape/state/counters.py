"""Counters, latency histogram and latency history of one profile or other fetch."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from pprof_exporter.averages import median_of
from pprof_exporter.catalog import Deferral, Outcome, Phase, Reason, Skip, fetching
from pprof_exporter.catalog.hints import Hint, explained
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import Phases

_HISTORY = 60
_RECENT = 5
_ENOUGH = 3
_REASONS = list(Reason)


class LatencyHistory:
    """A ring of the last 60 fetches: latency in seconds, None for a failed fetch. It takes a few hundred bytes."""

    __slots__ = ("_next", "_ring")

    def __init__(self) -> None:
        self._ring = array("f")
        self._next = 0

    def add(self, seconds: float | None) -> None:
        """Add one fetch; `seconds` is None if it failed."""
        value = math.nan if seconds is None else seconds
        if len(self._ring) < _HISTORY:
            self._ring.append(value)
        else:
            self._ring[self._next] = value
        self._next = (self._next + 1) % _HISTORY

    def latest(self) -> list[float | None]:
        """Oldest first."""
        values = self._ring[self._next :] + self._ring[: self._next] if len(self._ring) == _HISTORY else self._ring
        return [None if math.isnan(value) else value for value in values]


class RecentLatencies:
    """The latest five latencies in seconds. Their median does not move for one slow fetch among five."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values = array("d")

    def add(self, seconds: float) -> None:
        """Add the latest."""
        if len(self._values) == _RECENT:
            del self._values[0]
        self._values.append(seconds)

    def clear(self) -> None:
        """Forget all."""
        del self._values[:]

    @property
    def median(self) -> float | None:
        """The median; None with fewer than three."""
        return median_of(self._values) if len(self._values) >= _ENOUGH else None


class RecentOutcomes:
    """How the latest 60 fetches ended: a reason of failure, or None. It takes a hundred bytes."""

    __slots__ = ("_codes",)

    def __init__(self) -> None:
        self._codes = bytearray()

    def add(self, reason: Reason | None) -> None:
        """Add the latest."""
        if len(self._codes) == _HISTORY:
            del self._codes[0]
        self._codes.append(0 if reason is None else _REASONS.index(reason) + 1)

    def latest(self, count: int) -> list[Reason | None]:
        """At most so many, oldest first."""
        return [_REASONS[code - 1] if code else None for code in self._codes[-count:]]


class LatencyHistogram:
    """A histogram over `fetching.LATENCY_BUCKETS`."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(fetching.LATENCY_BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one latency."""
        self.counts[bisect_left(fetching.LATENCY_BUCKETS, seconds)] += 1
        self.sum += seconds


@dataclass(frozen=True, slots=True)
class LatestFailure:
    """Why a fetch failed. `detail` is text for people, with words of the server; `hint` what its reply shows."""

    reason: Reason
    detail: str = ""
    hint: Hint | None = None

    def explained(self, advice: str = "") -> str:
        """What was observed and what to do."""
        return explained(self.reason, self.hint, self.detail, advice)

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(slots=True)
class FetchCounters:
    """Counters of one profile (or the index page) of one target, over the life of the exporter."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    fetch_failures: Counter[Reason] = field(default_factory=Counter)
    decode_failures: Counter[Reason] = field(default_factory=Counter)
    skipped: Counter[Skip] = field(default_factory=Counter)
    deferred: Counter[Deferral] = field(default_factory=Counter)
    deferring: bool = False
    """Whether the latest fetch was deferred: the previous result stays valid meanwhile."""
    overdue: int = 0
    latency: LatencyHistogram = field(default_factory=LatencyHistogram)
    history: LatencyHistory = field(default_factory=LatencyHistory)
    recent: RecentLatencies = field(default_factory=RecentLatencies)
    """The latest latencies of the current process that are not the exporter's own delay."""
    ended: RecentOutcomes = field(default_factory=RecentOutcomes)
    """How the latest fetches of the current process ended."""
    phases: dict[Phase, float] = field(default_factory=lambda: dict.fromkeys(Phase, 0.0))
    response_bytes: int = 0
    last_success: float | None = None
    last_failure: LatestFailure | None = None
    """Why the latest fetch failed; None if it succeeded."""

    def begin_process(self) -> None:
        """Forget why the latest fetch failed: the process may have ended in it."""
        self.last_failure = None
        self.recent.clear()
        self.ended = RecentOutcomes()

    def succeeded(self, at: float, phases: Phases | None, *, overloaded: bool = False) -> None:
        """Count a successful fetch; `phases` is None for a saved file. `overloaded`: its latency is the exporter's."""
        self.outcomes[Outcome.SUCCESS] += 1
        if phases is not None:
            self.latency.observe(phases.total)
            self.history.add(phases.total)
            if not overloaded:
                self.recent.add(phases.total)
            for phase, seconds in phases.items():
                self.phases[phase] += seconds
        self.ended.add(None)
        self.last_success = at
        self.last_failure = None

    def failed(self, error: FetchError | DecodeError) -> None:
        """Count a failed fetch. After a `DecodeError`, the reply was complete, but could not be decoded."""
        reason, decoding = error.reason, isinstance(error, DecodeError)
        if reason is Reason.BUSY:
            self.outcomes[Outcome.BUSY] += 1
        else:
            self.outcomes[Outcome.FAILURE] += 1
            failures = self.decode_failures if decoding else self.fetch_failures
            failures[reason] += 1
        self.history.add(None)
        self.ended.add(reason)
        self.last_failure = LatestFailure(reason, error.detail, error.hint)
