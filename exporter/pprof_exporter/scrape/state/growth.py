"""What is known of the growth of a target: its last minutes, its life, and how earlier processes ended."""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.health import LifeParts, RecentParts, is_steady

# In rounds, which are half a minute by default: half an hour.
_START_UP = _SHORTEST_LIFE = 60


class Growing(StrEnum):
    """What grows; the values are those of the label `what`."""

    HEAP = "heap"
    GOROUTINES = "goroutines"


_MOST_RESTARTS = 16
# A heap or a count that is less than half as large again was not what ended the process.
_FACTOR = 1.5
_LEAST = {Growing.HEAP: "heap_growth_least", Growing.GOROUTINES: "goroutine_growth_wave"}


class GrowthState:
    """The growth of one target."""

    def __init__(self, interval: float) -> None:
        """`interval` is the seconds between two values."""
        self._interval = interval
        self._lives = {what: LifeParts(interval) for what in Growing}
        self._ended: tuple[Growing, ...] = ()
        self.recent = {what: RecentParts() for what in Growing}
        self.restarts: Counter[Growing] = Counter()
        """Restarts of the same program after a process that had grown to its end."""
        self._restarted_at = {what: deque[float](maxlen=_MOST_RESTARTS) for what in Growing}

    def add(self, what: Growing, at: float, value: float) -> None:
        """Take in a value of `at` (Unix time)."""
        self._lives[what].add(at, value)
        self.recent[what].add(at, value)

    def begin_process(self, *, judge: bool) -> None:
        """The process ended. `judge`: it was one process, and another took its place."""
        self._ended = tuple(what for what in Growing if judge and self._grew(what))
        self._lives = {what: LifeParts(self._interval) for what in Growing}
        self.recent = {what: RecentParts() for what in Growing}

    def identified(self, now: float, *, upgraded: bool) -> None:
        """The new process is known at `now` (Unix time). After an upgrade, someone ended the one before on purpose."""
        for what in () if upgraded else self._ended:
            self.restarts[what] += 1
            self._restarted_at[what].append(now)
        self._ended = ()

    def restarts_since(self, at: float) -> dict[Growing, int]:
        """The restarts since `at` (Unix time), by what had grown; 16 are remembered."""
        return {what: sum(one >= at for one in times) for what, times in self._restarted_at.items()}

    def _grew(self, what: Growing) -> bool:
        """Whether the figure grew steadily to the end of the life, and by much."""
        parts = self._lives[what].parts(start_up=_START_UP * self._interval, least=_SHORTEST_LIFE * self._interval)
        return (
            bool(parts)
            and is_steady(parts, share=_limit("growth_share"))
            and parts[-1] - parts[0] > _limit(_LEAST[what])
            and parts[-1] > _FACTOR * parts[0]
        )


def _limit(name: str) -> float:
    return THRESHOLDS_BY_NAME[name].value
