"""F6 and F7: the latency of a request that costs the target nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from enum import StrEnum

from pprof_exporter.averages import median_of
from pprof_exporter.catalog import runtime
from pprof_exporter.clock import Clock
from pprof_exporter.scrape.state.counters import FetchCounters

# A canary is slow above this multiple of the median of the latest ones, and above `_SLOW_SECONDS`. With fewer than
# `_MIN_CANARIES`, it is slow above a whole second.
_SLOW_TIMES = 4.0
_SLOW_SECONDS = 0.25
_SLOW_AT_FIRST = 1.0
_MIN_CANARIES = 5
_RECENT = 20
# A canary older than this many seconds says nothing about the present.
_VALID = 90.0


class During(StrEnum):
    """Whether a CPU profile ran while a canary was timed; values of the label `during`."""

    REST = "rest"
    PROFILE = "profile"


class CanaryState:
    """Distributions of the canary."""

    def __init__(self, clock: Clock) -> None:
        self.counters = FetchCounters()
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self.recent_of = {during: deque[float](maxlen=_RECENT) for during in During}
        """The latest latencies of each, in seconds."""
        self._latest: tuple[float, float | None] | None = None
        self.cpu_profiles_running = 0
        self.counts = {during: [0] * (len(runtime.CANARY_DURATION.buckets) + 1) for during in During}
        self.sums = dict.fromkeys(During, 0.0)
        self.failures: Counter[During] = Counter()

    @property
    def during(self) -> During:
        """Whether a CPU profile runs now."""
        return During.PROFILE if self.cpu_profiles_running else During.REST

    def begin_process(self) -> None:
        """Forget the usual latency of the process before."""
        self._recent.clear()
        for recent in self.recent_of.values():
            recent.clear()
        self._latest = None

    def record(self, during: During, seconds: float) -> None:
        """Count an answered canary."""
        self._latest = (self._clock.steady(), seconds)
        self._recent.append(seconds)
        self.recent_of[during].append(seconds)
        self.counts[during][bisect_left(runtime.CANARY_DURATION.buckets, seconds)] += 1
        self.sums[during] += seconds

    def fail(self, during: During) -> None:
        """Count an unanswered canary."""
        self._latest = (self._clock.steady(), None)
        self.failures[during] += 1

    def forget_latest(self) -> None:
        """Nothing is known of the present, since the target does not serve the canary."""
        self._latest = None

    def is_slow(self) -> bool:
        """Whether the latest canary was not answered, or took much longer than usual for this target."""
        if self._latest is None or self._clock.steady() - self._latest[0] > _VALID:
            return False
        seconds = self._latest[1]
        if seconds is None:
            return True
        usual = median_of(self._recent)
        limit = _SLOW_AT_FIRST if len(self._recent) < _MIN_CANARIES else max(_SLOW_SECONDS, _SLOW_TIMES * usual)
        return seconds > limit
