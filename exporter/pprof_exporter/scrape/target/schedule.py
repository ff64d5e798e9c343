"""When to fetch: a stable spread of phases, and back-off after failures. Pure; time is a parameter."""

from __future__ import annotations

import math
from hashlib import blake2b
from random import Random


def phase(key: str, interval: float) -> float:
    """The offset of a key within its interval, in seconds: spread evenly over keys, the same after a restart."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * interval


class Schedule:
    """The planned times of one fetch, `interval` seconds apart, with a phase of its own."""

    def __init__(self, key: str, interval: float, *, now: float) -> None:
        """`now` is Unix time, so that the phase is the same after a restart."""
        self._interval = interval
        self._offset = phase(key, interval)
        self._tick: int | None = None
        """The number of the tick that is due; None before the first."""
        self.due = now
        """The next planned time. The first is now: a new target is scraped before its first tick."""

    def advance(self, now: float) -> int:
        """Plan the next tick after `now`, and return how many ticks were missed on the way.

        The first tick is at least half an interval after the first fetch.
        """
        # Ticks are counted in whole numbers: times that are computed would be rounded, to either side of a tick.
        latest = math.floor((now - self._offset) / self._interval)
        if self._tick is None:
            missed = max(0, math.floor((now - self.due) / self._interval))
            soonest = math.floor((self.due + self._interval / 2 - self._offset) / self._interval)
            self._tick = max(latest, soonest) + 1
        else:
            missed = max(0, latest - self._tick)
            self._tick += 1 + missed
        self.due = self._tick * self._interval + self._offset
        return missed


class Backoff:
    """Doubles the delay with every failure in a row, with jitter, up to `longest` or the interval."""

    def __init__(self, interval: float, random: Random, *, longest: float = 600) -> None:
        self._interval = interval
        self._longest = max(longest, interval)
        self._random = random
        self._failures = 0
        self._until = -math.inf

    def failed(self, now: float) -> None:
        """Record a failure."""
        self._failures += 1
        wait = min(self._interval * 2 ** min(self._failures, 16), self._longest)
        self._until = now + wait * self._random.uniform(0.8, 1.0)

    def reset(self) -> None:
        """Forget all failures."""
        self._failures = 0
        self._until = -math.inf

    def blocks(self, now: float) -> bool:
        """Whether it is too early for another fetch."""
        return now < self._until
