"""Whether counters that never fall within a process come from several processes by turns.

One counter cannot tell a restart from another process. Several readings can: after a restart a counter begins low and
rises, and it does not come back to where the ended process was. The counters of processes that answer by turns go on
exactly there, at every turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

# By how much a counter grows from one reading of a process to the next one.
_STEP = 1.05
_SMALL_STEP = 1.0
# Counters are integers, but the values of sampled allocations are scaled as floats.
_NOISE = 1e-3
# Turns in a row. A process in a restart loop may stop at the same value as the one before it, but not each time.
_TURNS = 6
_MOST = 6
_MEMORY = 900.0


def has_fallen(before: float, now: float) -> bool:
    """Whether a counter is lower than before, which it never is within one process."""
    return now < before * (1 - _NOISE)


@dataclass(slots=True)
class _Track:
    """The counters of one process, as they were last read at `at` (Unix time)."""

    counters: Mapping[str, float]
    at: float

    def growth(self, counters: Mapping[str, float]) -> float | None:
        """How far the counters are from those of this track; None if they cannot follow them."""
        steps = []
        for name, value in counters.items():
            before = self.counters.get(name, value)
            if has_fallen(before, value):
                return None
            steps.append(max(0.0, value - before - _SMALL_STEP) / (before + 1))
        return max(steps)


class CounterTracks:
    """The readings of one set of counters of one target."""

    def __init__(self) -> None:
        self._tracks: deque[_Track] = deque(maxlen=_MOST)
        """The current one first."""
        self._turns = 0

    def connection_lost(self) -> None:
        """Record that a process may have ended."""
        self._turns = 0

    def alternate(self, counters: Mapping[str, float], at: float) -> bool:
        """Take in a reading at `at` (Unix time). Returns whether several processes answer by turns."""
        recent = [track for track in self._tracks if at - track.at <= _MEMORY]
        self._tracks = deque(recent, maxlen=_MOST)
        if not recent:
            self._tracks.appendleft(_Track(counters, at))
            return False
        current, others = recent[0], recent[1:]
        step = current.growth(counters)
        if step is None or step > _STEP - 1:
            near = [(growth, track) for track in others if (growth := track.growth(counters)) is not None]
            growth, track = min(near, key=lambda pair: pair[0], default=(_STEP, None))
            if track is not None and growth <= _STEP - 1:
                self._turns += 1
                self._tracks.remove(track)
                self._tracks.appendleft(track)
                current = track
            elif step is None:
                self._turns = 0
                current = _Track(counters, at)
                self._tracks.appendleft(current)
        current.counters, current.at = counters, at
        return self._turns >= _TURNS
