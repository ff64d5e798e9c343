"""Which epoch each target is in, in memory, with what is not yet written to the file.

No input or output here, and no lock: `Store` has both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from pprof_exporter.store.epoch import Stay, changed_parts

STAY_PRECISION = 3600.0
"""Seconds by which the time of a stay may be behind: it serves only to remove targets that are gone."""

StayKey = tuple[str, str]
"""Service and name of a target."""


class Stays:
    """The stay of every target. `epoch` and `before` are ids of this run."""

    def __init__(self) -> None:
        self._stays: dict[StayKey, Stay] = {}
        self._dirty: set[StayKey] = set()

    def get(self, key: StayKey) -> Stay | None:
        """The stay of a target; None for an unknown one."""
        return self._stays.get(key)

    def put(self, key: StayKey, stay: Stay) -> None:
        """Set the stay of a target. If only its time is new, that is set once in `STAY_PRECISION`."""
        known = self._stays.get(key)
        if (
            known is None
            or stay.last_seen - known.last_seen > STAY_PRECISION
            or replace(stay, last_seen=known.last_seen) != known
        ):
            self._stays[key] = stay
            self._dirty.add(key)

    def drop_epochs(self, gone: Collection[int]) -> None:
        """Remove the stays in these epochs, and the epochs from stays that followed them. The file does so itself."""
        for key, stay in list(self._stays.items()):
            if stay.epoch in gone:
                self._drop(key)
            elif stay.before in gone:
                self._stays[key] = replace(stay, before=None)

    def surplus_before(self, most: int) -> float:
        """With more than `most` targets: the time at which the last of so many was seen; else one before all."""
        if len(self._stays) <= most:
            return -math.inf
        return sorted((stay.last_seen for stay in self._stays.values()), reverse=True)[most - 1]

    def drop_unseen(self, before: float) -> None:
        """Remove targets that were last seen before this time."""
        for key in [key for key, stay in self._stays.items() if stay.last_seen < before]:
            self._drop(key)

    # Exchange with the file.

    def take(self) -> dict[StayKey, Stay]:
        """Everything that is not in the file. After a failed write the caller calls `put_back`."""
        batch = {key: self._stays[key] for key in self._dirty}
        self._dirty.clear()
        return batch

    def put_back(self, keys: Iterable[StayKey]) -> None:
        """Record that these were not written."""
        self._dirty.update(key for key in keys if key in self._stays)

    def write_again(self, epoch_id: int | None = None) -> None:
        """Write the stays that refer to this epoch again, because it gets another row; None: all stays."""
        self._dirty.update(
            key for key, stay in self._stays.items() if epoch_id is None or epoch_id in (stay.epoch, stay.before)
        )

    def load(self, stored: Mapping[StayKey, Stay], ids: Mapping[int, int]) -> None:
        """Add the stays of the file, in which epochs are rows; `ids` has the id of each row.

        A target that was first seen while the file could not be read gets from it what was before.
        """
        for key, stay in stored.items():
            if stay.epoch not in ids:
                continue
            before = None if stay.before is None else ids.get(stay.before)
            stay = replace(stay, epoch=ids[stay.epoch], before=before)  # noqa: PLW2901  # the same stay, with ids
            own = self._stays.get(key)
            if own is None:
                self._stays[key] = stay
            elif own.before is None:
                self.put(key, _continued(own, stay))

    def _drop(self, key: StayKey) -> None:
        del self._stays[key]
        self._dirty.discard(key)


def _continued(own: Stay, stored: Stay) -> Stay:
    """A stay without an epoch before, after that of an earlier run."""
    if own.epoch == stored.epoch:
        return replace(own, before=stored.before, since=min(own.since, stored.since))
    if stored.since <= own.since and changed_parts(stored.fingerprint, own.fingerprint):
        return replace(own, before=stored.epoch)
    return own
