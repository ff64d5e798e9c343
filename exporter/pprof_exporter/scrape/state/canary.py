"""F5 and F6: how quickly a target answers what costs it nothing, and what the latency of profiles is made of."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from enum import StrEnum
from statistics import median

from pprof_exporter.catalog import runtime
from pprof_exporter.clock import Clock
from pprof_exporter.scrape.state.counters import FetchCounters

# A canary is slow from so many times the median of the last ones, if it is worth the name at all; while there are too
# few of them, from a whole second.
_SLOW_TIMES = 4.0
_SLOW_SECONDS = 0.25
_SLOW_AT_FIRST = 1.0
_FEW = 5
_REMEMBERED = 20
# A canary older than this many seconds says nothing about now.
_TOLD_OF_NOW = 90.0


class During(StrEnum):
    """What went on while a canary was timed."""

    REST = "rest"
    PROFILE = "profile"


class CanaryState:
    """Distributions of the canary, and the latest latency of the request that lists no modules."""

    def __init__(self, clock: Clock) -> None:
        self.counters = FetchCounters()
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._latest: tuple[float, float | None] | None = None
        self.windows = 0
        """CPU profiles that run now."""
        self.counts = {during: [0] * (len(runtime.CANARY_DURATION.buckets) + 1) for during in During}
        self.sums = dict.fromkeys(During, 0.0)
        self.failures: Counter[During] = Counter()
        self.without_modules: float | None = None

    @property
    def during(self) -> During:
        """What goes on now."""
        return During.PROFILE if self.windows else During.REST

    def record(self, during: During, seconds: float) -> None:
        """Count one answer."""
        self._latest = (self._clock.steady(), seconds)
        self._recent.append(seconds)
        self.counts[during][bisect_left(runtime.CANARY_DURATION.buckets, seconds)] += 1
        self.sums[during] += seconds

    def fail(self, during: During) -> None:
        """Count one that was not answered."""
        self._latest = (self._clock.steady(), None)
        self.failures[during] += 1

    def is_slow(self) -> bool:
        """Whether the latest canary was not answered, or much later than is usual for this target."""
        if self._latest is None or self._clock.steady() - self._latest[0] > _TOLD_OF_NOW:
            return False
        seconds = self._latest[1]
        if seconds is None:
            return True
        usual = median(self._recent)
        limit = _SLOW_AT_FIRST if len(self._recent) < _FEW else max(_SLOW_SECONDS, _SLOW_TIMES * usual)
        return seconds > limit
