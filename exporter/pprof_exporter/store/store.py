"""The store: statistics of every signal, for each epoch of each service, saved over restarts of the exporter.

Observed values are in memory at once, and in the file after the next `flush`. The file is optional: while it cannot be
opened, read or written, the store works in memory, counts the trouble, and tries again at every flush.

Several exporters may write one file. Each adds its values since its last flush, in a transaction, so that the values
are merged. A wait longer than `LOCK_TIMEOUT` counts as `StorageProblem.LOCKED`; the values are written at a later
flush.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pprof_exporter.store.ages import compare_ages
from pprof_exporter.store.batch import MOST_SKETCHES, Batch
from pprof_exporter.store.control import ControlGroup
from pprof_exporter.store.database import Database
from pprof_exporter.store.epoch import Comparison, Epoch, Fingerprint, Stay, Summary
from pprof_exporter.store.ledger import Ledger
from pprof_exporter.store.problems import StorageProblem, database_errors, storage_problem
from pprof_exporter.store.retention import EpochRetention, oldest_stay, over_size
from pprof_exporter.store.set_aside import file_id, move_corrupt
from pprof_exporter.store.sketch import Sketch


class Store:
    """Use `Store.open`. Thread-safe. No method raises errors of the file: they are counted.

    `enter`, `observe`, `stay` and `epochs` use memory only, so an event loop may call them. `summaries` and `compare`
    read the file once for each epoch of an earlier run, and only then wait for a `flush`. `flush`, `expire` and
    `close` write to disk, and may wait up to `LOCK_TIMEOUT` longer: call them in a thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ledger = Ledger()
        self._database: Database | None = None
        self._suspect = False
        self._shared = False
        # Two locks, so that observing never waits for the disk. Code that takes both takes `_disk` first.
        self._disk = threading.RLock()
        self._memory = threading.Lock()
        self.troubles: Counter[StorageProblem] = Counter()
        """Problems with the file since the start."""
        self.last_trouble = ""
        """The latest problem, as a sentence without a full stop; "" if there was none."""
        self.control = ControlGroup()
        """Latencies and load of targets that were not upgraded."""

    @classmethod
    def open(cls, path: Path | None, now: float) -> Store:
        """Open a store on this file, which is created with its folder if needed; None: in memory only.

        `now` is Unix time here and in all methods.
        """
        store = cls(path)
        with store._disk:
            store._attach(now)
        return store

    @property
    def configured(self) -> bool:
        """Whether a file is configured, usable or not."""
        return self._path is not None

    @property
    def persistent(self) -> bool:
        """Whether the file is open, so that values are saved over a restart."""
        return self._database is not None

    def enter(
        self,
        service: str,
        target: str,
        fingerprint: Fingerprint,
        now: float,
        *,
        moved: bool = False,
        since: float | None = None,
    ) -> Epoch:
        """Record that a target was seen with this fingerprint. Returns its epoch.

        Replicas of a service with one fingerprint share an epoch. Unknown parts match everything, and are filled in by
        the first process with a known value. `moved`: the target was upgraded or rolled back, so it leaves its epoch,
        for one that another replica entered since, or for a new one. Without that, a target leaves its epoch only if
        its fingerprint contradicts it. `since` is when the target entered, if that was before `now`.
        """
        with self._memory:
            return self._ledger.enter(
                (service, target), fingerprint, now, moved=moved, since=now if since is None else since
            )

    def stay(self, service: str, target: str) -> Stay | None:
        """The epoch that a target is in, also from an earlier run; None for an unknown target."""
        with self._memory:
            return self._ledger.stays.get((service, target))

    def epochs(self, service: str) -> list[Epoch]:
        """The epochs of a service, the first one first."""
        with self._memory:
            return self._ledger.epochs(service)

    def observe(self, epoch_id: int, signal: str, value: float) -> None:
        """Add one value of a signal. Values that are not finite, and removed epochs, are ignored."""
        with self._memory:
            self._ledger.observe(epoch_id, signal, value)

    def measured(self, signal: str, value: float) -> None:
        """Called with each value at once, when its epoch may not be known yet; for stores that record values."""

    def summaries(self, epoch_id: int) -> dict[str, Summary]:
        """Statistics of every signal observed in this epoch; empty for an unknown epoch."""
        self._load([epoch_id])
        with self._memory:
            return self._ledger.summaries(epoch_id)

    def compare(self, service: str, target: str) -> Comparison | None:
        """Compare the epoch that a target is in with one before; None if it was not upgraded yet.

        Before is the latest earlier epoch with enough values: after a quick rollback that is the older stay of the same
        build.
        """
        key = service, target
        with self._memory:
            stay = self._ledger.stays.get(key)
            wanted = [stay.epoch, *(epoch.id for epoch in self._ledger.history(key))] if stay else []
        self._load(wanted)
        with self._memory:
            stay, before = self._ledger.stays.get(key), self._ledger.compared_with(key)
            now = self._ledger.epoch(stay.epoch) if stay else None
            if stay is None or now is None or before is None:
                return None
            signals, load = compare_ages(self._ledger.summaries(before.id), self._ledger.summaries(now.id))
        return Comparison(before, now, stay.since, signals, self.control.changes_since(signals, stay.since), load)

    def flush(self, now: float) -> bool:
        """Write new values. False if they stay in memory, until the next flush or, without a file, for good."""
        with self._disk:
            return self._flush(now)

    def expire(self, now: float, policy: EpochRetention) -> int:
        """Write new values, and remove epochs beyond the limits of the policy; returns their number."""
        with self._disk:
            self._flush(now)
            with self._memory:
                removed = self._ledger.aged(now, policy)
                gone = {epoch.id for epoch in removed}
                spared = [epoch for epoch in self._ledger.by_age() if epoch.id not in gone]
                unseen = max(oldest_stay(now, policy), self._ledger.stays.surplus_before(policy.targets))
            try:
                if self._database:
                    removed += self._remove(removed, spared, policy, unseen)
                else:
                    removed += over_size(spared, self._size, now, policy)
            except database_errors() as error:
                self._report(error)
                return 0
            with self._memory:
                self._ledger.drop(removed)
                self._ledger.stays.drop_unseen(unseen)
                idle = self._ledger.idle()
            for epoch_id in idle:
                # Observing waits for a single epoch, here and in `_size`, not for those of a thousand targets.
                with self._memory:
                    self._ledger.pack(epoch_id)
        return len(removed)

    def _size(self, epoch_id: int) -> int:
        with self._memory:
            return self._ledger.size(epoch_id)

    def close(self, now: float) -> None:
        """Write new values and close the file. The store can still be used, in memory."""
        with self._disk:
            self._flush(now)
            self._detach()
            self._path = None

    def _load(self, epoch_ids: Iterable[int]) -> None:
        for epoch_id in epoch_ids:
            with self._memory:
                self._ledger.use(epoch_id)
                if self._ledger.unread(epoch_id) is None:
                    continue
            with self._disk:
                with self._memory:
                    row = self._ledger.unread(epoch_id)
                if row is None or self._database is None or self._suspect:
                    continue
                try:
                    stored = {signal: self._decode(data) for signal, data in self._database.sketches(row).items()}
                except database_errors() as error:
                    self._report(error)
                    continue
                with self._memory:
                    self._ledger.load(epoch_id, stored)

    def _flush(self, now: float) -> bool:
        if self._path is None:
            return False
        if self._suspect or (self._database and self._database.is_replaced()):
            self._recover(now)
        if self._database is None and not self._attach(now):
            return False
        if self._write():
            return True
        if not self._suspect:
            return False
        self._recover(now)
        return self._attach(now) and self._write()

    def _write(self) -> bool:
        """Write new values, a part after the other: observing waits for one part at most."""
        while (written := self._write_part()) == MOST_SKETCHES:
            pass
        return written is not None

    def _write_part(self) -> int | None:
        """Write up to `MOST_SKETCHES` sketches, and return how many; None if that failed."""
        batch = Batch()
        try:
            assert self._database is not None  # noqa: S101  # for the type checker; callers checked
            with self._database.transaction():
                rows = self._database.epochs() if self._database.has_changed() else None
                # Once another exporter wrote to the file, what memory has of it may be old.
                self._shared |= rows is not None
                with self._memory:
                    if rows is not None:
                        self._ledger.sync(rows)
                    batch = self._ledger.take(MOST_SKETCHES)
                    known = dict(self._ledger.rows)
                written, sketches = batch.write(self._database, known, self._decode, shared=self._shared)
        except database_errors() as error:
            with self._memory:
                self._ledger.put_back(batch)
            self._report(error)
            return None
        with self._memory:
            self._ledger.written(written, sketches)
        return len(sketches)

    def _remove(self, aged: list[Epoch], spared: list[Epoch], policy: EpochRetention, unseen: float) -> list[Epoch]:
        """Remove old epochs from the file, then more until it is small enough; returns the latter."""
        assert self._database is not None  # noqa: S101  # for the type checker; the caller checked
        more, rows = list[Epoch](), self._ledger.rows
        with self._database.transaction():
            self._database.delete_stays(unseen)
            for epoch in aged:
                if epoch.id in rows:
                    self._database.delete(rows[epoch.id])
            for epoch in spared:
                if self._database.size() <= policy.size:
                    break
                if epoch.id in rows:
                    self._database.delete(rows[epoch.id])
                    more.append(epoch)
        if aged or more:
            try:
                self._database.shrink()
            except database_errors() as error:
                # The epochs are removed; their space is freed later.
                self._report(error)
        return more

    def _attach(self, now: float) -> bool:
        """Open the file; a corrupt one is moved aside first. False if there is no usable file."""
        if self._path is None:
            return False
        for _ in range(2):
            found = file_id(self._path)
            self._suspect = False
            if self._open(self._path):
                return True
            if not self._suspect or not self._move_corrupt(found, now):
                break
        self._suspect = False
        return False

    def _open(self, path: Path) -> bool:
        try:
            database = Database(path)
            try:
                rows, stays = database.epochs(), database.stays()
            except database_errors():
                database.close()
                raise
        except database_errors() as error:
            self._report(error)
            return False
        self._database = database
        if database.emptied:
            self._count_trouble(StorageProblem.CORRUPT, f"{path}: the file was empty, and is begun anew")
        with self._memory:
            self._ledger.detach(keep=database.created)
            self._ledger.sync(rows)
            self._ledger.load_stays(stays)
        return True

    def _recover(self, now: float) -> None:
        """Detach from a file that is gone or corrupt; a corrupt one is moved aside."""
        mine = self._database is not None and not self._database.is_replaced()
        found = file_id(self._path) if self._path and mine else None
        self._detach()
        if self._suspect and mine:
            self._move_corrupt(found, now)
        self._suspect = False

    def _move_corrupt(self, found: tuple[int, int] | None, now: float) -> bool:
        """Move the file aside, unless another exporter has just done so. False if that fails."""
        assert self._path is not None  # noqa: S101  # for the type checker; callers checked
        if file_id(self._path) != found:
            return True
        try:
            target = move_corrupt(self._path, now)
        except OSError as error:
            self._report(error)
            return False
        self.last_trouble += f"; moved to {target.name}"
        return True

    def _detach(self) -> None:
        if self._database is not None:
            # Nothing can be lost: every transaction has ended.
            with contextlib.suppress(*database_errors()):
                self._database.close()
            self._database = None

    def _decode(self, data: bytes) -> Sketch:
        """A stored sketch; an empty one if that is damaged, which affects one signal of one epoch."""
        try:
            return Sketch.decode(data)
        except ValueError as error:
            self._count_trouble(StorageProblem.CORRUPT, f"{self._path}: {error}")
            return Sketch()

    def _report(self, error: Exception) -> None:
        trouble = storage_problem(error)
        # The file cannot always be moved here: the next flush moves it.
        self._suspect |= trouble is StorageProblem.CORRUPT
        self._count_trouble(trouble, f"{self._path}: {error}")

    def _count_trouble(self, trouble: StorageProblem, message: str) -> None:
        self.troubles[trouble] += 1
        self.last_trouble = message
