"""Whether the exporter itself is too slow to measure the latency of others."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import psutil

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.clock import Clock
from pprof_exporter.descriptors import descriptor_limit
from pprof_exporter.exhaustion import OwnTroubles

_MEASURE_EVERY = 0.5
# A single late timer is a pause of the garbage collector; two within ten seconds are not.
_PATTERN = 10.0
_LATE = THRESHOLDS_BY_NAME["loop_lag"].value
_VERY_LATE = 4 * _LATE
# Requests that were made meanwhile end up to a timeout later. And Prometheus, which may scrape once a minute, sees it.
_AFTERWARDS = 90.0
_DESCRIPTORS = 0.9
_COUNT_EVERY = 10.0


class ExporterLoad:
    """Late timers of the event loop, and file descriptors that run out."""

    def __init__(self, clock: Clock, troubles: OwnTroubles | None = None) -> None:
        self.troubles = troubles
        """Counts what the exporter lacks itself; None: nobody counts it."""
        self._clock = clock
        self._late_at = -math.inf
        self._until = -math.inf
        self._counted_at = -math.inf
        self._descriptors = False

    @property
    def overloaded(self) -> bool:
        """Whether latencies that are measured now include the delay of the exporter."""
        return self._descriptors or self._clock.steady() < self._until

    def timer_fired(self, late: float) -> None:
        """Take in how many seconds late a timer of the event loop fired."""
        now = self._clock.steady()
        if late > _VERY_LATE or (late > _LATE and now - self._late_at <= _PATTERN):
            self._until = now + _AFTERWARDS
        if late > _LATE:
            self._late_at = now

    def descriptors(self, used: int, limit: float) -> None:
        """Take in how many file descriptors are open, and how many may be."""
        self._descriptors = used > _DESCRIPTORS * limit

    async def measure(self, on_lag: Callable[[float], None] | None = None) -> None:
        """Measure until cancelled; `on_lag` is called with the delay of each timer in seconds."""
        while True:
            before = self._clock.steady()
            await self._clock.sleep(_MEASURE_EVERY)
            lag = max(0.0, self._clock.steady() - before - _MEASURE_EVERY)
            self.timer_fired(lag)
            if on_lag is not None:
                on_lag(lag)
            if self._clock.steady() - self._counted_at >= _COUNT_EVERY:
                self._counted_at = self._clock.steady()
                self.descriptors(*await asyncio.to_thread(_open_descriptors))


def _open_descriptors() -> tuple[int, float]:
    """Open file descriptors and their limit; no limit where the system has none."""
    most = descriptor_limit().most
    try:
        return (0 if math.isinf(most) else psutil.Process().num_fds()), most
    except (OSError, psutil.Error):
        return 0, math.inf
