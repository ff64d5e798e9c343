"""F18: whether block and mutex profiling are on."""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.profile import GoroutineState
from pprof_exporter.scrape.state.observation import Observation

# This many empty profiles in a row, while goroutines wait, mean that block profiling is off.
_EMPTY_IN_A_ROW = 10

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

    def learn(self, kind: str, observation: Observation) -> None:
        """Take in a profile of `kind`."""
        match kind:
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
