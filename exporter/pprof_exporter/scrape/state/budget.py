"""F19: how much of its time a target is being profiled, and how much it may be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pprof_exporter.clock import Clock

# What was not spent is kept for as many seconds; after that it is forfeit.
_SAVES = 300.0


class Budget:
    """Seconds of profiling that one target may be asked for: `share` of the time that passes, saved for five minutes.

    What runs at the same time counts once. A new target begins with all that can be saved, so that its first round is
    not held up.
    """

    def __init__(self, share: float, clock: Clock) -> None:
        self._share = share
        self._clock = clock
        self._credit = share * _SAVES
        self._at = self._since = clock.steady()
        self._running = 0
        self.spent = 0.0
        """Seconds during which at least one such fetch was under way, until the last one began or ended."""

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
        """Share of its time for which the target was profiled; None before anything was."""
        self._settle()
        passed = self._at - self._since
        return self.spent / passed if self.spent and passed else None

    def left(self) -> bool:
        """Whether there is anything left to spend."""
        self._settle()
        return self._credit > 0

    def _settle(self) -> None:
        now = self._clock.steady()
        passed, self._at = now - self._at, now
        used = passed if self._running else 0.0
        self.spent += used
        self._credit = min(self._share * _SAVES, self._credit + passed * self._share - used)
