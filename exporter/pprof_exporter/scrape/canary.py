"""F5 and F6: how quickly a target answers what costs it nothing, and what the latency of profiles is made of."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from enum import StrEnum

from pprof_exporter.catalog import runtime
from pprof_exporter.scrape.tally import Tally

CANARY = "canary"
"""Name among the profiles in settings, and value of the label `profile`."""


class During(StrEnum):
    """What went on while a canary was timed."""

    REST = "rest"
    PROFILE = "profile"


class CanaryState:
    """Distributions of the canary, and the latest latency of the request that lists no modules."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.windows = 0
        """CPU profiles that run now."""
        self.counts = {during: [0] * (len(runtime.CANARY.buckets) + 1) for during in During}
        self.sums = dict.fromkeys(During, 0.0)
        self.failures: Counter[During] = Counter()
        self.without_modules: float | None = None

    @property
    def during(self) -> During:
        """What goes on now."""
        return During.PROFILE if self.windows else During.REST

    def record(self, during: During, seconds: float) -> None:
        """Count one answer."""
        self.counts[during][bisect_left(runtime.CANARY.buckets, seconds)] += 1
        self.sums[during] += seconds
