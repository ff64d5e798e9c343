"""How long epochs and targets are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pprof_exporter.store.epoch import Epoch
from pprof_exporter.store.stays import STAY_PRECISION


@dataclass(frozen=True, slots=True)
class EpochRetention:
    """Limits. Age does not remove the last epochs of each service; size removes the longest unseen epochs first."""

    epochs: int = 5
    """The last epochs of each service that age does not remove."""
    age: float = 180 * 86400.0
    """Seconds since an epoch was last seen."""
    size: int = 64 * 2**20
    """Bytes of the file, without its write-ahead log."""


def oldest_stay(now: float, policy: EpochRetention) -> float:
    """Targets that were last seen before this time are removed. The time of a stay may be behind."""
    return now - max(policy.age, 2 * STAY_PRECISION)


def over_size(spared: Sequence[Epoch], size: Callable[[int], int], policy: EpochRetention) -> list[Epoch]:
    """Without a file: the epochs to remove, longest unseen first, until the sketches fit. `size` is by epoch id."""
    sizes = [size(epoch.id) for epoch in spared]
    total, over = sum(sizes), []
    for epoch, own in zip(spared, sizes, strict=True):
        if total <= policy.size:
            break
        total -= own
        over.append(epoch)
    return over
