"""Epochs and distributions in memory, with what is not yet written to the file.

No input or output here, and no lock: `Store` has both. Every epoch has an id for this run, and at most one row in the
file. Id and row differ because other exporters write the same file: epoch 7 of this exporter can be row 9, which
another exporter wrote a moment earlier.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pprof_exporter.store.epoch import (
    Comparison,
    EnteredEpoch,
    Epoch,
    EpochRetention,
    Fingerprint,
    Summary,
    changed_parts,
    merge_fingerprints,
)
from pprof_exporter.store.sketch import MAX_MAGNITUDE, Sketch

ABSENCE_SECONDS = 300.0
"""Seconds without a report after which an epoch has ended, if another epoch of its service is reported."""


@dataclass(slots=True)
class _Record:
    """One signal of one epoch. Its total is the sum of the three sketches."""

    stored: Sketch | None = None
    """The content of the file when it was last read or written."""
    writing: Sketch | None = None
    """Being written to the file; must not be changed."""
    fresh: Sketch | None = None
    """Values since then."""

    def total(self) -> Sketch:
        return _merged(self.stored, self.writing, self.fresh)


@dataclass(slots=True)
class Batch:
    """Data to write: epochs, and additions to the stored sketches by epoch id and signal."""

    epochs: list[Epoch] = field(default_factory=list)
    sketches: dict[tuple[int, str], Sketch] = field(default_factory=dict)


class Ledger:
    """The epochs of every service, and their signals."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        """Row in the file of each epoch that has one, by id."""
        self._epochs: dict[int, Epoch] = {}
        self._services: dict[str, list[int]] = {}
        self._records: dict[int, dict[str, _Record]] = {}
        self._loaded: set[int] = set()
        self._dirty: set[int] = set()
        self._resumed: dict[str, float] = {}
        """When each service was first seen again after a gap in its reports."""
        self._next = 1

    # Updates.

    def enter(self, service: str, fingerprint: Fingerprint, now: float) -> EnteredEpoch:
        """See `Store.enter`."""
        others = [self._epochs[own] for own in self._services.get(service, ())]
        agreeing = [epoch for epoch in others if not changed_parts(epoch.fingerprint, fingerprint)]
        if agreeing:
            if now - max(epoch.last_seen for epoch in others) > ABSENCE_SECONDS:
                self._resumed[service] = now
            epoch = max(agreeing, key=_recency)
            others.remove(epoch)
            left = _ended_epoch(epoch, others, now, self._resumed.get(service, -math.inf))
            began = left is not None
            epoch = replace(epoch, fingerprint=merge_fingerprints(epoch.fingerprint, fingerprint)).seen(now)
        else:
            left = max(others, key=_recency, default=None)
            began = True
            epoch = Epoch(self._unused_id(), service, fingerprint, now, now, now)
        if began:
            # After the clock was set back, this period must not begin before the earlier ones.
            entered = max([now, *(other.entered for other in others)])
            epoch = replace(epoch, entered=entered, before=left.id if left else None)
            epoch = epoch.seen(left.last_seen) if left else epoch
        self._put(epoch)
        before = self.previous(epoch)
        changes = changed_parts(before.fingerprint, epoch.fingerprint) if before else ()
        return EnteredEpoch(epoch, before, changes, began)

    def observe(self, epoch_id: int, signal: str, value: float) -> None:
        """See `Store.observe`."""
        if epoch_id not in self._epochs or not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
            return
        record = self._records.setdefault(epoch_id, {}).setdefault(signal, _Record())
        if record.fresh is None:
            record.fresh = Sketch()
        record.fresh.add(value)

    # Queries.

    def previous(self, epoch: Epoch) -> Epoch | None:
        """See `Store.previous`."""
        known = self._epochs.get(epoch.id, epoch)
        return None if known.before is None else self._epochs.get(known.before)

    def current(self, service: str) -> Epoch | None:
        """The epoch that the service entered last."""
        epochs = (self._epochs[own] for own in self._services.get(service, ()))
        return max(epochs, key=_entry_order, default=None)

    def summaries(self, epoch_id: int) -> dict[str, Summary]:
        """See `Store.summaries`."""
        totals = {signal: record.total() for signal, record in self._records.get(epoch_id, {}).items()}
        return {signal: Summary.of(total) for signal, total in totals.items() if total.count}

    def compare(self, service: str) -> Comparison | None:
        """See `Store.compare`."""
        now = self.current(service)
        before = self.previous(now) if now else None
        if now is None or before is None:
            return None
        old, new = self.summaries(before.id), self.summaries(now.id)
        return Comparison(before, now, {signal: (old[signal], new[signal]) for signal in old if signal in new})

    def by_age(self) -> list[Epoch]:
        """Every epoch, longest unseen first."""
        return sorted(self._epochs.values(), key=_recency)

    def aged(self, now: float, policy: EpochRetention) -> list[Epoch]:
        """Epochs that are too old, except the last ones of each service."""
        old: list[Epoch] = []
        for ids in self._services.values():
            epochs = sorted((self._epochs[own] for own in ids), key=_recency)
            spare = max(0, len(epochs) - policy.epochs)
            old += [epoch for epoch in epochs[:spare] if now - epoch.last_seen > policy.age]
        return old

    def size(self, epoch_id: int) -> int:
        """Encoded size of the sketches of an epoch, in bytes."""
        return sum(len(record.total().encode()) for record in self._records.get(epoch_id, {}).values())

    def drop(self, epochs: Iterable[Epoch]) -> None:
        """Remove these epochs with all their signals."""
        for epoch in epochs:
            del self._epochs[epoch.id]
            self._services[epoch.service].remove(epoch.id)
            if not self._services[epoch.service]:
                del self._services[epoch.service]
                self._resumed.pop(epoch.service, None)
            self._records.pop(epoch.id, None)
            self._loaded.discard(epoch.id)
            self._dirty.discard(epoch.id)
            self.rows.pop(epoch.id, None)

    # Exchange with the file.

    def unread(self, epoch_id: int) -> int | None:
        """The row of an epoch whose stored signals are not loaded; None if there is nothing to load."""
        return None if epoch_id in self._loaded else self.rows.get(epoch_id)

    def load(self, epoch_id: int, stored: Mapping[str, Sketch]) -> None:
        """Add the stored signals of an epoch."""
        records = self._records.setdefault(epoch_id, {})
        for signal, sketch in stored.items():
            records.setdefault(signal, _Record()).stored = sketch
        self._loaded.add(epoch_id)

    def take(self) -> Batch:
        """Everything that is not in the file. The caller then calls `written` or `put_back`."""
        batch = Batch([self._epochs[own] for own in sorted(self._dirty)])
        self._dirty.clear()
        for epoch_id, records in self._records.items():
            for signal, record in records.items():
                if record.fresh is not None:
                    record.writing, record.fresh = record.fresh, None
                    batch.sketches[epoch_id, signal] = record.writing
        return batch

    def written(self, rows: Mapping[int, int], sketches: Mapping[tuple[int, str], Sketch]) -> None:
        """Record that a batch is in the file, with the rows of its epochs and the resulting sketches."""
        for epoch_id, row in rows.items():
            if epoch_id not in self.rows:
                # The epoch was not in the file before, so the written sketches are complete.
                self._loaded.add(epoch_id)
            self.rows[epoch_id] = row
        for (epoch_id, signal), sketch in sketches.items():
            record = self._records[epoch_id][signal]
            record.writing = None
            record.stored = sketch if epoch_id in self._loaded else None
        self._forget_empty()

    def put_back(self, batch: Batch) -> None:
        """Record that a batch was not written."""
        self._dirty.update(epoch.id for epoch in batch.epochs)
        for epoch_id, signal in batch.sketches:
            record = self._records[epoch_id][signal]
            record.fresh, record.writing = _merged(record.writing, record.fresh), None

    def detach(self, *, keep: bool) -> None:
        """Prepare for another file: no epoch has a row. `keep`: the file is new, and gets everything in memory.

        Otherwise the file may already hold the stored values, so only values that were never written are added.
        """
        self.rows.clear()
        self._loaded.clear()
        self._dirty.update(self._epochs)
        for records in self._records.values():
            for record in records.values():
                if keep and record.stored is not None:
                    record.fresh = _merged(record.stored, record.fresh)
                record.stored = None
        self._forget_empty()

    def sync(self, rows: Mapping[int, Epoch]) -> None:
        """Merge the epochs of the file, by row; their `id` and `before` are rows too."""
        self._detach_rows(rows)
        bound = {row: own for own, row in self.rows.items()}
        loose = [self._epochs[own] for own in self._epochs if own not in self.rows]
        for row, epoch in rows.items():
            if row in bound:
                continue
            twin = next((own for own in loose if _same(own, epoch)), None)
            if twin is None:
                bound[row] = self._unused_id(row)
                # A placeholder: `_join` below fills it in when the ids of all rows are known.
                self._put(replace(epoch, id=bound[row], before=None), dirty=False)
            else:
                loose.remove(twin)
                bound[row] = twin.id
                # The file has the start of this period: its row was written earlier.
                self._put(replace(twin, entered=epoch.entered, before=None))
            self.rows[bound[row]] = row
        for row, epoch in rows.items():
            before = None if epoch.before is None else bound.get(epoch.before)
            self._join(self._epochs[bound[row]], replace(epoch, before=before))
        for epoch in loose:
            if epoch.before is None:
                others = [self._epochs[own] for own in self._services[epoch.service] if own in self.rows]
                left = max(others, key=_recency, default=None)
                self._put(replace(epoch, before=left.id if left else None))

    def _join(self, own: Epoch, stored: Epoch) -> None:
        later = own if (own.entered, own.before is not None) > (stored.entered, False) else stored
        joined = replace(
            own,
            fingerprint=merge_fingerprints(own.fingerprint, stored.fingerprint),
            first_seen=min(own.first_seen, stored.first_seen),
            last_seen=max(own.last_seen, stored.last_seen),
            entered=later.entered,
            before=later.before,
        )
        self._put(joined, dirty=own.id in self._dirty)

    def _detach_rows(self, rows: Mapping[int, Epoch]) -> None:
        """Detach epochs from rows that another exporter removed or reused."""
        for epoch_id, row in list(self.rows.items()):
            epoch = self._epochs[epoch_id]
            if row in rows and _same(rows[row], epoch):
                continue
            records = self._records.get(epoch_id, {})
            if epoch_id not in self._dirty and not any(record.fresh for record in records.values()):
                self.drop([epoch])
                continue
            for record in records.values():
                record.stored = None
            self._loaded.discard(epoch_id)
            del self.rows[epoch_id]
            self._dirty.add(epoch_id)

    def _put(self, epoch: Epoch, *, dirty: bool = True) -> None:
        if epoch.id not in self._epochs:
            self._services.setdefault(epoch.service, []).append(epoch.id)
        self._epochs[epoch.id] = epoch
        if dirty:
            self._dirty.add(epoch.id)

    def _unused_id(self, wanted: int = 0) -> int:
        """An unused id: `wanted` if possible, else a new one."""
        if wanted < 1 or wanted in self._epochs:
            wanted = self._next
        self._next = max(self._next, wanted + 1)
        return wanted

    def _forget_empty(self) -> None:
        """Remove empty records. Memory holds only new and loaded values."""
        for records in self._records.values():
            for signal in [signal for signal, record in records.items() if record == _Record()]:
                del records[signal]


def _ended_epoch(epoch: Epoch, others: Sequence[Epoch], now: float, resumed: float) -> Epoch | None:
    """The epoch that ends with the return to this one; None while the current period continues.

    In a gradual release both epochs are seen all the time, which is not a return. The time before `resumed`, without
    observations, does not count.
    """
    if not others:
        return None
    latest, newest = max(others, key=_recency), max(others, key=_entry_order)
    if latest.last_seen - max(epoch.last_seen, resumed) > ABSENCE_SECONDS:
        return latest
    overtaken = _entry_order(newest) > _entry_order(epoch)
    return newest if overtaken and now - max(newest.last_seen, resumed) > ABSENCE_SECONDS else None


def _same(one: Epoch, other: Epoch) -> bool:
    return one.service == other.service and not changed_parts(one.fingerprint, other.fingerprint)


def _recency(epoch: Epoch) -> tuple[float, int]:
    return epoch.last_seen, epoch.id


def _entry_order(epoch: Epoch) -> tuple[float, int]:
    return epoch.entered, epoch.id


def _merged(*sketches: Sketch | None) -> Sketch:
    total = Sketch()
    for sketch in sketches:
        if sketch is not None:
            total = total.merge(sketch)
    return total
