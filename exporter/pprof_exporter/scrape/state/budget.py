"""F19: the share of time that a target is profiled, and its limit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pprof_exporter.clock import Clock

# Unspent time is saved for this many seconds, and then lost.
_SAVES = 300.0


class Budget:
    """Seconds of profiling allowed for one target: `share` of the elapsed time, saved for up to five minutes.

    Simultaneous fetches count once. A new target starts with the maximum credit, so that its first round is not
    deferred.
    """

    def __init__(self, share: float, clock: Clock) -> None:
        self._share = share
        self._clock = clock
        self._credit = share * _SAVES
        self._at = self._since = clock.steady()
        self._running = 0
        self.spent = 0.0
        """Seconds with at least one such fetch in flight, until the last one began or ended."""

    @contextlib.contextmanager
    def profiling(self) -> Iterator[None]:
        """Count the time within the block."""
        self._settle()
        self._running += 1
        try:
            yield
        finally:
            self._settle()
            self._running -= 1

    @property
    def share(self) -> float | None:
        """The share of time that the target was profiled; None before the first profile."""
        self._settle()
        passed = self._at - self._since
        return self.spent / passed if self.spent and passed else None

    def has_credit(self) -> bool:
        """Whether another fetch may start."""
        self._settle()
        return self._credit > 0

    def _settle(self) -> None:
        now = self._clock.steady()
        passed, self._at = now - self._at, now
        used = passed if self._running else 0.0
        self.spent += used
        self._credit = min(self._share * _SAVES, self._credit + passed * self._share - used)
