"""When to fetch: a stable spread of phases, and patience after failures. Pure; time comes in as a number."""

from __future__ import annotations

import math
from hashlib import blake2b
from random import Random


def phase(key: str, interval: float) -> float:
    """Where in its interval a key fetches, in seconds: spread evenly over keys, the same after a restart."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * interval


class Schedule:
    """The planned times of one fetch, `interval` seconds apart, on a phase of its own."""

    def __init__(self, key: str, interval: float, *, now: float) -> None:
        """`now` is Unix time; the phase is bound to it, so that it stays over restarts."""
        self._interval = interval
        self._offset = phase(key, interval)
        self.due = now
        """The next planned time. The first is at once: a new target is looked at before its first tick."""

    def advance(self, now: float) -> int:
        """Plan the next tick after `now`, and return how many ticks were missed on the way.

        The first tick after the look at once keeps half an interval from it.
        """
        nearest = max(now, self.due + self._interval / 2)
        ahead = math.floor((nearest - self._offset) / self._interval) + 1
        following = ahead * self._interval + self._offset
        missed = max(0, math.floor((now - self.due) / self._interval))
        self.due = following
        return missed


class Backoff:
    """Doubles the distance of tries with every failure in a row, with jitter, up to `longest` or the interval."""

    def __init__(self, interval: float, random: Random, *, longest: float = 600) -> None:
        self._interval = interval
        self._longest = max(longest, interval)
        self._random = random
        self._failures = 0
        self._until = -math.inf

    def failed(self, now: float) -> None:
        """One more failure in a row."""
        self._failures += 1
        wait = min(self._interval * 2 ** min(self._failures, 16), self._longest)
        self._until = now + wait * self._random.uniform(0.8, 1.0)

    def reset(self) -> None:
        """The fetch succeeded, or its reason to fail has gone."""
        self._failures = 0
        self._until = -math.inf

    def blocks(self, now: float) -> bool:
        """Whether it is too early for another try."""
        return now < self._until
