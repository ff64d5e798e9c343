"""Epochs and their distributions in memory, with what is not yet written to the file.

No input or output here, and no lock: `Store` has both. Every epoch has an id for this run, and at most one row in the
file. Id and row differ because other exporters write the same file: epoch 7 here can be row 9.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter

from pprof_exporter.store.batch import Batch, SketchKey
from pprof_exporter.store.epoch import (
    Epoch,
    Fingerprint,
    Stay,
    Summary,
    changed_parts,
    merge_fingerprints,
    overlay_fingerprint,
)
from pprof_exporter.store.packed import PackedRecords
from pprof_exporter.store.record import SignalRecord, merged
from pprof_exporter.store.retention import EpochRetention, aged_epochs, recency
from pprof_exporter.store.sketch import MAX_MAGNITUDE, Sketch
from pprof_exporter.store.stays import StayKey, Stays
from pprof_exporter.store.twins import is_same, twins_of

# An epoch with fewer values of every signal is too short to compare with, if there is an earlier one.
_ENOUGH = 10
# How many epochs back to look for one with enough values.
_FARTHEST = 5
_FIRST_SEEN = attrgetter("first_seen", "id")


class Ledger:
    """The epochs of every service, and their signals."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        """Row in the file of each epoch that has one, by id."""
        self.stays = Stays()
        """The targets in the epochs."""
        self._epochs: dict[int, Epoch] = {}
        self._services: dict[str, list[int]] = {}
        self._records: dict[int, dict[str, SignalRecord]] = {}
        self._packed = PackedRecords()
        self._loaded: set[int] = set()
        self._dirty: set[int] = set()
        self._fresh: OrderedDict[SketchKey, None] = OrderedDict()
        """Signals that may have values which are not in the file, those that wait for longest first."""
        self._next = 1

    # Updates.

    def enter(self, key: StayKey, fingerprint: Fingerprint, now: float, *, moved: bool, since: float) -> Epoch:
        """See `Store.enter`."""
        stay = self.stays.get(key)
        if stay is None:
            epoch = self._joined(key, fingerprint, None) or self._opened(key[0], fingerprint, now, None)
            stay = Stay(epoch.id, None, since, now, fingerprint)
        else:
            epoch = self._epochs[stay.epoch]
            left = epoch.id if moved else stay.before
            if moved or changed_parts(epoch.fingerprint, fingerprint):
                epoch = self._joined(key, fingerprint, left) or self._opened(key[0], fingerprint, now, left)
                stay = replace(stay, epoch=epoch.id, before=left, since=since if moved else stay.since)
        epoch = replace(epoch, fingerprint=merge_fingerprints(epoch.fingerprint, fingerprint)).seen(now)
        self._put(epoch)
        known = overlay_fingerprint(stay.fingerprint, fingerprint)
        self.stays.put(key, replace(stay, fingerprint=known, last_seen=now))
        return epoch

    def _joined(self, key: StayKey, fingerprint: Fingerprint, left: int | None) -> Epoch | None:
        """The epoch of another replica with this fingerprint, for a target that leaves an epoch; or None.

        That is an epoch in the present: one that began after the epoch that the target leaves, or was seen since the
        target entered that. It is none that the target was in: a return begins a new epoch. A target that leaves
        nothing, at its first sight, joins every epoch that agrees.
        """
        others = [self._epochs[one] for one in self._services.get(key[0], ())]
        agreeing = [epoch for epoch in others if not changed_parts(epoch.fingerprint, fingerprint)]
        stay = self.stays.get(key)
        if stay is not None and left is not None:
            # Ids ascend with time, unlike `first_seen`, which depends on the clock. Those of epochs that another
            # exporter wrote may not.
            been = {left, *(epoch.id for epoch in self.history(key))}
            agreeing = [
                epoch
                for epoch in agreeing
                if epoch.id not in been and (epoch.id > left or epoch.last_seen >= stay.since)
            ]
        return max(agreeing, key=recency, default=None)

    def _opened(self, service: str, fingerprint: Fingerprint, now: float, left: int | None) -> Epoch:
        return Epoch(self._unused_id(), service, fingerprint, now, now, left)

    def observe(self, epoch_id: int, signal: str, value: float) -> None:
        """See `Store.observe`."""
        if epoch_id not in self._epochs or not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
            return
        self.use(epoch_id)
        record = self._records.setdefault(epoch_id, {}).setdefault(signal, SignalRecord())
        if record.fresh is None:
            record.fresh = Sketch()
            self._fresh[epoch_id, signal] = None
        record.fresh.add(value)

    # Queries.

    def epoch(self, epoch_id: int | None) -> Epoch | None:
        """The epoch with this id."""
        return None if epoch_id is None else self._epochs.get(epoch_id)

    def epochs(self, service: str) -> list[Epoch]:
        """The epochs of a service, the first one first."""
        return sorted((self._epochs[own] for own in self._services.get(service, ())), key=_FIRST_SEEN)

    def history(self, key: StayKey) -> Iterator[Epoch]:
        """The epochs before the one that a target is in, the latest first."""
        stay = self.stays.get(key)
        if stay is None:
            return
        # Two exporters that saw two replicas in reverse order write epochs that follow each other in a circle.
        known = {stay.epoch}
        earlier = self.epoch(stay.before)
        while earlier is not None and earlier.id not in known and len(known) <= _FARTHEST:
            known.add(earlier.id)
            yield earlier
            earlier = self.epoch(earlier.before)

    def compared_with(self, key: StayKey) -> Epoch | None:
        """The latest epoch before that of the target with enough values, or else the one that it left."""
        earlier = list(self.history(key))
        enough = (
            epoch
            for epoch in earlier
            if any(record.count >= _ENOUGH for record in self._records.get(epoch.id, {}).values())
        )
        return next(enough, earlier[0] if earlier else None)

    def summaries(self, epoch_id: int) -> dict[str, Summary]:
        """See `Store.summaries`."""
        records = self._records.get(epoch_id, {})
        return {signal: record.summarized() for signal, record in records.items() if record.count}

    def by_age(self) -> list[Epoch]:
        """Every epoch, longest unseen first."""
        return sorted(self._epochs.values(), key=recency)

    def aged(self, now: float, policy: EpochRetention) -> list[Epoch]:
        """Epochs that are too old, or of which there are too many."""
        return aged_epochs(([self._epochs[own] for own in ids] for ids in self._services.values()), now, policy)

    def idle(self) -> list[int]:
        """Epochs with signals in memory that were not used for long. For use once a round."""
        return self._packed.unused(self._records)

    def use(self, epoch_id: int) -> None:
        """Undo `pack`, and have an epoch that is in use stay as it is."""
        if epoch_id in self._epochs:
            self._packed.note_use(epoch_id)
        self.unpack(epoch_id)

    def pack(self, epoch_id: int) -> None:
        """Make the signals of an epoch small: read again from the file when needed, or encoded."""
        records = self._records.pop(epoch_id, {})
        if epoch_id in self.rows and not any(record.fresh for record in records.values()):
            self._loaded.discard(epoch_id)
            return
        self._packed.put(epoch_id, records)
        for signal in records:
            self._fresh.pop((epoch_id, signal), None)

    def unpack(self, epoch_id: int) -> None:
        """Undo `pack` of encoded signals."""
        if epoch_id in self._packed:
            records = self._records[epoch_id] = self._packed.take(epoch_id)
            self._fresh.update(((epoch_id, signal), None) for signal, record in records.items() if record.fresh)

    def size(self, epoch_id: int) -> int:
        """About the encoded size of the sketches of an epoch, in bytes."""
        if epoch_id in self._packed:
            return self._packed.size(epoch_id)
        return sum(record.size for record in self._records.get(epoch_id, {}).values())

    def drop(self, epochs: Iterable[Epoch]) -> None:
        """Remove these epochs with all their signals."""
        gone = {epoch.id for epoch in epochs}
        for epoch_id in gone:
            epoch = self._epochs.pop(epoch_id)
            self._services[epoch.service].remove(epoch.id)
            if not self._services[epoch.service]:
                del self._services[epoch.service]
            for signal in self._records.pop(epoch.id, {}):
                self._fresh.pop((epoch.id, signal), None)
            self._packed.drop(epoch.id)
            self._loaded.discard(epoch.id)
            self._dirty.discard(epoch.id)
            self.rows.pop(epoch.id, None)
        self.stays.drop_epochs(gone)

    # Exchange with the file.

    def unread(self, epoch_id: int) -> int | None:
        """The row of an epoch whose stored signals are not loaded; None if there is nothing to load."""
        return None if epoch_id in self._loaded else self.rows.get(epoch_id)

    def load(self, epoch_id: int, stored: Mapping[str, Sketch]) -> None:
        """Add the stored signals of an epoch."""
        records = self._records.setdefault(epoch_id, {})
        for signal, sketch in stored.items():
            record = records.setdefault(signal, SignalRecord())
            record.stored, record.summary = sketch, None
        self._loaded.add(epoch_id)

    def take(self, most: int) -> Batch:
        """What is not in the file, with up to so many sketches. The caller then calls `written` or `put_back`."""
        batch = Batch([self._epochs[own] for own in sorted(self._dirty)], stays=self.stays.take())
        self._dirty.clear()
        while len(batch.sketches) < most:
            if not self._fresh:
                if not self._packed:
                    break
                self.unpack(self._packed.ids[0])
                continue
            (epoch_id, signal), _ = self._fresh.popitem(last=False)
            key, record = (epoch_id, signal), self._records[epoch_id][signal]
            if record.fresh is None:
                continue
            record.writing, record.fresh = record.fresh, None
            batch.sketches[key] = record.writing
            if record.stored is not None:
                batch.stored[key] = record.stored
        return batch

    def written(self, rows: Mapping[int, int], sketches: Mapping[SketchKey, Sketch]) -> None:
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
            if not record.count:
                del self._records[epoch_id][signal]

    def put_back(self, batch: Batch) -> None:
        """Record that a batch was not written."""
        self._dirty.update(epoch.id for epoch in batch.epochs)
        self.stays.put_back(batch.stays)
        for epoch_id, signal in batch.sketches:
            record = self._records[epoch_id][signal]
            record.fresh, record.writing = merged(record.writing, record.fresh), None
            self._fresh[epoch_id, signal] = None

    def detach(self, *, keep: bool) -> None:
        """Prepare for another file: no epoch has a row. `keep`: the file is new, and gets everything in memory.

        Otherwise the file may already hold the stored values, so only values that were never written are added.
        """
        for epoch_id in self._packed.ids:
            self.unpack(epoch_id)
        self.rows.clear()
        self._loaded.clear()
        self._dirty.update(self._epochs)
        self.stays.write_again()
        for records in self._records.values():
            for record in records.values():
                if keep and record.stored is not None:
                    record.fresh = merged(record.stored, record.fresh)
                record.stored = record.summary = None
        self._forget_empty()
        self._fresh.clear()
        self._fresh.update(((own, signal), None) for own, records in self._records.items() for signal in records)

    def sync(self, rows: Mapping[int, Epoch]) -> None:
        """Merge the epochs of the file, by row; their `id` and `before` are rows too."""
        self._detach_rows(rows)
        bound = {row: own for own, row in self.rows.items()}
        loose = [epoch for epoch in self._epochs.values() if epoch.id not in self.rows]
        twins = twins_of({row: epoch for row, epoch in rows.items() if row not in bound}, loose)
        for row, epoch in rows.items():
            if row in bound:
                continue
            bound[row] = twins[row] if row in twins else self._unused_id(row)
            self.rows[bound[row]] = row
            if row not in twins:
                # A placeholder: `_join` below fills it in when the ids of all rows are known.
                self._put(replace(epoch, id=bound[row], before=None), dirty=False)
        for row, epoch in rows.items():
            before = None if epoch.before is None else bound.get(epoch.before)
            self._join(self._epochs[bound[row]], replace(epoch, before=before))

    def load_stays(self, stored: Mapping[StayKey, Stay]) -> None:
        """Add the stays of the file, in which epochs are rows."""
        self.stays.load(stored, {row: own for own, row in self.rows.items()})

    def _join(self, own: Epoch, stored: Epoch) -> None:
        joined = replace(
            own,
            fingerprint=merge_fingerprints(own.fingerprint, stored.fingerprint),
            first_seen=min(own.first_seen, stored.first_seen),
            last_seen=max(own.last_seen, stored.last_seen),
            before=stored.before if own.before is None else own.before,
        )
        self._put(joined, dirty=own.id in self._dirty)

    def _detach_rows(self, rows: Mapping[int, Epoch]) -> None:
        """Detach epochs from rows that another exporter removed or reused."""
        for epoch_id, row in list(self.rows.items()):
            epoch = self._epochs[epoch_id]
            if row in rows and is_same(rows[row], epoch):
                continue
            self.unpack(epoch_id)
            records = self._records.get(epoch_id, {})
            if epoch_id not in self._dirty and not any(record.fresh for record in records.values()):
                self.drop([epoch])
                continue
            for record in records.values():
                record.stored = record.summary = None
            self._loaded.discard(epoch_id)
            del self.rows[epoch_id]
            self._dirty.add(epoch_id)
            self.stays.write_again(epoch_id)

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
            for signal in [signal for signal, record in records.items() if not record.count]:
                del records[signal]
