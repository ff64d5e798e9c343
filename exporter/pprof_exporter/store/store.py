"""The store: statistics of every signal, kept for each epoch of each service, over restarts of the exporter.

What is observed is in memory at once and in the file at the next `flush`. The file is never needed: while it cannot be
opened, read or written, the store works in memory, counts the trouble, and tries again at every flush.

Several exporters may write one file. Each adds what it observed since its last flush, in a transaction, so that their
values are merged. A wait longer than `PATIENCE` counts as `StorageProblem.LOCKED`; the values are written at a later
flush.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pprof_exporter.store.database import Database, Failure, StorageProblem, inode, set_aside, storage_problem
from pprof_exporter.store.epoch import Comparison, Entered, Epoch, EpochRetention, Fingerprint, Summary
from pprof_exporter.store.ledger import Batch, Ledger
from pprof_exporter.store.sketch import Sketch


class Store:
    """Use `Store.open`. Every method may be called from any thread, and none raises what a file can do wrong.

    `enter`, `observe`, `previous` and `current` only touch memory, so that an event loop may call them. `summaries` and
    `compare` read the file once for each epoch that an earlier run wrote, and wait for a `flush` only then. `flush`,
    `expire` and `close` write, and take as long as the disk does, and up to `PATIENCE` more: call them in a thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ledger = Ledger()
        self._database: Database | None = None
        self._suspect = False
        # The disk is slow and memory is not, so that who observes never waits for who writes.
        # Whoever takes both takes `_disk` first.
        self._disk = threading.RLock()
        self._memory = threading.Lock()
        self.troubles: Counter[StorageProblem] = Counter()
        """How often something went wrong with the file, since the start."""
        self.last_trouble = ""
        """The latest of these, as a sentence without a full stop; "" if there was none."""

    @classmethod
    def open(cls, path: Path | None, now: float) -> Store:
        """A store on this file, which is created with its folder if need be; None keeps everything in memory.

        `now`, here and in all methods: Unix seconds.
        """
        store = cls(path)
        with store._disk:
            store._attach(now)
        return store

    @property
    def configured(self) -> bool:
        """A file was asked for, whether it can be used or not."""
        return self._path is not None

    @property
    def persistent(self) -> bool:
        """The file is open: what is observed will outlive this program."""
        return self._database is not None

    def enter(self, service: str, fingerprint: Fingerprint, now: float) -> Entered:
        """A process of the service with this fingerprint was seen: the epoch that it belongs to.

        Call it with every observation. All replicas with one fingerprint share an epoch; a fingerprint that comes back
        returns to its old epoch. A new epoch begins only when a known part differs from every epoch of the service:
        unknown parts agree with anything, and are filled in by the first who knows them.
        """
        with self._memory:
            return self._ledger.enter(service, fingerprint, now)

    def observe(self, epoch_id: int, signal: str, value: float) -> None:
        """Count one value of a signal. Passed over: values that are no finite numbers, epochs that were removed."""
        with self._memory:
            self._ledger.observe(epoch_id, signal, value)

    def previous(self, epoch: Epoch) -> Epoch | None:
        """The epoch that the service was in before; None of the first one, or where that one was removed."""
        with self._memory:
            return self._ledger.previous(epoch)

    def current(self, service: str) -> Epoch | None:
        """The epoch that the service entered last; None for an unknown service.

        While a release goes on by steps this is the new one, and `previous` of it the stable one.
        """
        with self._memory:
            return self._ledger.current(service)

    def summaries(self, epoch_id: int) -> dict[str, Summary]:
        """Figures of every signal that was ever observed in this epoch; empty for an unknown one."""
        self._load([epoch_id])
        with self._memory:
            return self._ledger.summaries(epoch_id)

    def compare(self, service: str) -> Comparison | None:
        """The epoch that the service entered last against the one before; None while there is only one."""
        now = self.current(service)
        before = self.previous(now) if now else None
        self._load(epoch.id for epoch in (now, before) if epoch)
        with self._memory:
            return self._ledger.compare(service)

    def flush(self, now: float) -> bool:
        """Write what is new. False if it stays in memory until the next flush, or for good without a file."""
        with self._disk:
            return self._flush(now)

    def expire(self, now: float, policy: EpochRetention) -> int:
        """Remove what the policy does not keep; returns how many epochs. Writes what is new, too."""
        with self._disk:
            self._flush(now)
            with self._memory:
                removed = self._ledger.aged(now, policy)
                gone = {epoch.id for epoch in removed}
                spared = [epoch for epoch in self._ledger.by_age() if epoch.id not in gone]
                rows = dict(self._ledger.rows)
                sizes = {epoch.id: self._ledger.size(epoch.id) for epoch in spared} if self._path is None else {}
            try:
                removed += (
                    self._remove(removed, spared, rows, policy) if self._database else _over(spared, sizes, policy)
                )
            except Failure as error:
                self._tell(error)
                return 0
            with self._memory:
                self._ledger.drop(removed)
        return len(removed)

    def close(self, now: float) -> None:
        """Write what is new and let go of the file. The store may still be used, and works in memory."""
        with self._disk:
            self._flush(now)
            self._detach()
            self._path = None

    def _load(self, epoch_ids: Iterable[int]) -> None:
        for epoch_id in epoch_ids:
            with self._memory:
                waiting = self._ledger.unread(epoch_id) is not None
            if not waiting:
                continue
            with self._disk:
                with self._memory:
                    row = self._ledger.unread(epoch_id)
                if row is None or self._database is None or self._suspect:
                    continue
                try:
                    stored = {signal: self._decode(data) for signal, data in self._database.sketches(row).items()}
                except Failure as error:
                    self._tell(error)
                    continue
                with self._memory:
                    self._ledger.load(epoch_id, stored)

    def _flush(self, now: float) -> bool:
        if self._path is None:
            return False
        if self._suspect or (self._database and self._database.replaced()):
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
        batch = Batch()
        try:
            assert self._database is not None  # noqa: S101  # for the type checker; callers looked
            with self._database.transaction():
                rows = self._database.epochs() if self._database.changed() else None
                with self._memory:
                    if rows is not None:
                        self._ledger.sync(rows)
                    batch = self._ledger.take()
                    known = dict(self._ledger.rows)
                written = {epoch.id: self._database.put_epoch(epoch, known.get(epoch.id)) for epoch in batch.epochs}
                known |= written
                for epoch in batch.epochs:
                    before = None if epoch.before is None else known.get(epoch.before)
                    self._database.put_before(written[epoch.id], before)
                sketches = {}
                for (epoch_id, signal), fresh in batch.sketches.items():
                    data = self._database.sketch(known[epoch_id], signal)
                    sketches[epoch_id, signal] = fresh if data is None else self._decode(data).merge(fresh)
                    self._database.put_sketch(known[epoch_id], signal, sketches[epoch_id, signal])
        except Failure as error:
            with self._memory:
                self._ledger.put_back(batch)
            self._tell(error)
            return False
        with self._memory:
            self._ledger.written(written, sketches)
        return True

    def _remove(
        self, aged: list[Epoch], spared: list[Epoch], rows: dict[int, int], policy: EpochRetention
    ) -> list[Epoch]:
        """Remove what is too old from the file, and then as much as makes it small enough; returns the latter."""
        assert self._database is not None  # noqa: S101  # for the type checker; the caller looked
        more: list[Epoch] = []
        with self._database.transaction():
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
            except sqlite3.Error as error:
                # The epochs are gone; their room is given back some other time.
                self._tell(error)
        return more

    def _attach(self, now: float) -> bool:
        """Open the file; a corrupt one is moved aside first. False if there is no file to work on."""
        if self._path is None:
            return False
        for _ in range(2):
            found = inode(self._path)
            self._suspect = False
            if self._open(self._path):
                return True
            if not self._suspect or not self._set_aside(found, now):
                break
        self._suspect = False
        return False

    def _open(self, path: Path) -> bool:
        try:
            database = Database(path)
            try:
                rows = database.epochs()
            except Failure:
                database.close()
                raise
        except Failure as error:
            self._tell(error)
            return False
        self._database = database
        with self._memory:
            self._ledger.detach(keep=database.created)
            self._ledger.sync(rows)
        return True

    def _recover(self, now: float) -> None:
        """Part from a file that is corrupt, which is moved aside, or that is gone."""
        mine = self._database is not None and not self._database.replaced()
        found = inode(self._path) if self._path and mine else None
        self._detach()
        if self._suspect and mine:
            self._set_aside(found, now)
        self._suspect = False

    def _set_aside(self, found: tuple[int, int] | None, now: float) -> bool:
        """Move the file away, unless another exporter has just done so. False if that is not possible."""
        assert self._path is not None  # noqa: S101  # for the type checker; callers looked
        if inode(self._path) != found:
            return True
        try:
            target = set_aside(self._path, now)
        except OSError as error:
            self._tell(error)
            return False
        self.last_trouble += f"; moved to {target.name}"
        return True

    def _detach(self) -> None:
        if self._database is not None:
            _close(self._database)
            self._database = None

    def _decode(self, data: bytes) -> Sketch:
        """A stored sketch; an empty one in place of what cannot be read, which concerns one signal of one epoch."""
        try:
            return Sketch.decode(data)
        except ValueError as error:
            self._note(StorageProblem.CORRUPT, f"{self._path}: {error}")
            return Sketch()

    def _tell(self, error: Exception) -> None:
        trouble = storage_problem(error)
        # Where this happens there may be no time to move the file: the next flush does.
        self._suspect |= trouble is StorageProblem.CORRUPT
        self._note(trouble, f"{self._path}: {error}")

    def _note(self, trouble: StorageProblem, message: str) -> None:
        self.troubles[trouble] += 1
        self.last_trouble = message


def _over(spared: list[Epoch], sizes: dict[int, int], policy: EpochRetention) -> list[Epoch]:
    """Without a file: the epochs to remove, the longest unseen first, until the sketches fit."""
    total, over = sum(sizes.values()), []
    for epoch in spared:
        if total <= policy.size:
            break
        total -= sizes[epoch.id]
        over.append(epoch)
    return over


def _close(database: Database) -> None:
    try:
        database.close()
    except sqlite3.Error:
        # Nothing is left to lose: every transaction has ended.
        return
