"""How long epochs and targets are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pprof_exporter.store.epoch import Epoch
from pprof_exporter.store.stays import STAY_PRECISION

# Each that is removed from the file takes some milliseconds, in which no other exporter can write.
_MOST_AT_ONCE = 200
# Seconds since an epoch was last seen, after which its target counts as gone.
_IDLE = 1.25 * STAY_PRECISION


@dataclass(frozen=True, slots=True)
class EpochRetention:
    """Limits. Age does not remove the last epochs of each service; all others remove the longest unseen ones first."""

    epochs: int = 5
    """The last epochs of each service that age does not remove."""
    age: float = 180 * 86400.0
    """Seconds since an epoch was last seen."""
    size: int = 64 * 2**20
    """Bytes of the file, without its write-ahead log. Without a file, of all signals in memory."""
    idle: int = 8 * 2**20
    """Without a file: bytes of the signals of epochs in which no target is any more."""
    most: int = 10_000
    """Epochs of all services: those of a thousand targets, and of many thousands that are gone."""
    targets: int = 10_000
    """Targets of which the epoch is known."""


def oldest_stay(now: float, policy: EpochRetention) -> float:
    """Targets that were last seen before this time are removed. The time of a stay may be behind."""
    return now - max(policy.age, 2 * STAY_PRECISION)


def aged_epochs(services: Iterable[Sequence[Epoch]], now: float, policy: EpochRetention) -> list[Epoch]:
    """Of the epochs of each service, those that are too old or too many."""
    old: list[Epoch] = []
    rest: list[Epoch] = []
    for own in services:
        epochs = sorted(own, key=recency)
        spare = max(0, len(epochs) - policy.epochs)
        aged = [epoch for epoch in epochs[:spare] if now - epoch.last_seen > policy.age]
        old += aged
        rest += epochs[len(aged) :]
    surplus = min(len(rest) - policy.most, _MOST_AT_ONCE)
    if surplus > 0:
        old += sorted(rest, key=recency)[:surplus]
    return old


def over_size(spared: Sequence[Epoch], size: Callable[[int], int], now: float, policy: EpochRetention) -> list[Epoch]:
    """Without a file: the epochs to remove, longest unseen first, until the sketches fit. `size` is by epoch id."""
    sizes = [size(epoch.id) for epoch in spared]
    idle = sum(own for epoch, own in zip(spared, sizes, strict=True) if now - epoch.last_seen > _IDLE)
    total, over = sum(sizes), []
    for epoch, own in zip(spared, sizes, strict=True):
        if total <= policy.size and (idle <= policy.idle or now - epoch.last_seen <= _IDLE):
            break
        total -= own
        idle -= own
        over.append(epoch)
    return over


def recency(epoch: Epoch) -> tuple[float, int]:
    """Sorts epochs by when they were last seen."""
    return epoch.last_seen, epoch.id
