"""F18: whether block and mutex profiling are on, and for how long goroutines wait for locks."""

from __future__ import annotations

from collections import deque

from pprof_exporter.catalog import content, quality
from pprof_exporter.profile import GoroutineState, Kind
from pprof_exporter.scrape.state.freshness import drop_older
from pprof_exporter.scrape.state.observation import Observation

# This many empty profiles in a row, while goroutines wait, mean that block profiling is off.
_EMPTY_IN_A_ROW = 10
# Seconds. As long as the alert looks back; and what a rate needs at least, two profiles at their default interval.
_RECENT = 1800.0
_SHORTEST = 30.0

# Waits that the block profile records when they end (runtime.blockevent).
_RECORDED = frozenset(
    {
        GoroutineState.CHAN_RECEIVE,
        GoroutineState.CHAN_SEND,
        GoroutineState.SELECT,
        GoroutineState.MUTEX,
        GoroutineState.WAIT_GROUP,
        GoroutineState.COND,
    }
)


class ContentionState:
    """Whether each is on; None while unknown. Go states the rate of the mutex profile, but not of the block profile."""

    def __init__(self) -> None:
        self.block: bool | None = None
        self.mutex: bool | None = None
        self._waiting = False
        self._empty = 0
        self._waited: deque[tuple[float, float]] = deque()

    @property
    def waiting_for_locks(self) -> float | None:
        """Seconds per second that goroutines waited for locks, at most of the last half hour; None: unknown.

        It is the lower of the rates of all that time and since the latest but one profile: what is over does not count.
        """
        if len(self._waited) < 2 or self._waited[-1][0] - self._waited[0][0] < _SHORTEST:
            return None
        (first_at, first), *_ = self._waited
        (before_at, before), (last_at, last) = self._waited[-2], self._waited[-1]
        return min((last - first) / (last_at - first_at), (last - before) / (last_at - before_at))

    def learn(self, kind: Kind, observation: Observation) -> None:
        """Take in a profile of `kind`."""
        if kind.name == "mutex":
            self._learn_waits(kind, observation)
        match kind.name:
            case "goroutine":
                self._waiting = _waiting(observation)
            case "block":
                self._learn_block(records=observation.samples)
            case "mutex" if observation.samples:
                # Records prove that it was on. Without records, the rate decides, see `mutex_rate`.
                self.mutex = True

    def mutex_rate(self, rate: int | None) -> None:
        """Take in the rate from the text of the mutex profile; None: it could not be read."""
        self.mutex = None if rate is None else rate > 0

    def _learn_waits(self, kind: Kind, observation: Observation) -> None:
        total = kind.by_family(observation.sums)[content.CONTENTION_SECONDS]
        if total is None or (self._waited and (observation.at <= self._waited[-1][0] or total < self._waited[-1][1])):
            self._waited.clear()
        if total is not None:
            self._waited.append((observation.at, total))
        drop_older(self._waited, observation.at - _RECENT)

    def _learn_block(self, *, records: int) -> None:
        if records:
            self.block, self._empty = True, 0
        elif self._waiting:
            self._empty += 1
            if self._empty >= _EMPTY_IN_A_ROW:
                self.block = False


def _waiting(observation: Observation) -> bool:
    return any(
        reading.value
        for reading in observation.readings
        if reading.family is quality.GOROUTINE_STATES and dict(reading.labels)["state"] in _RECORDED
    )
