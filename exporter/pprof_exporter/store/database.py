"""The database file: SQLite with a write-ahead log, so that a killed program does not corrupt it.

Everything here raises; `Store` catches. `storage_problem` classifies each exception. SQLite takes a megabyte, so it is
loaded with the first file.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from pprof_exporter.store.epoch import Epoch, Fingerprint, Stay
from pprof_exporter.store.sketch import Sketch

LOCK_TIMEOUT = 1.0
"""Seconds to wait for another process that has locked the file."""
MAX_CORRUPT_FILES = 3
"""How many corrupt files are kept beside the new one."""

# "pprf", to recognise the database of another program.
_APPLICATION = 0x70707266
_COLUMNS = "id, service, system, binary, go, modules, first_seen, last_seen, before"
_STAY_COLUMNS = "service, target, epoch, before, since, last_seen, system, binary, go, modules"
# Step n leads from version n to n + 1. Append only: files of every version exist.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE epoch (
            id INTEGER PRIMARY KEY, service TEXT NOT NULL,
            system TEXT NOT NULL, binary TEXT NOT NULL, go TEXT NOT NULL, modules TEXT NOT NULL,
            first_seen REAL NOT NULL, last_seen REAL NOT NULL, entered REAL NOT NULL, before INTEGER
        )""",
        """CREATE TABLE sketch (
            epoch INTEGER NOT NULL, signal TEXT NOT NULL, sketch BLOB NOT NULL, PRIMARY KEY (epoch, signal)
        ) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE stay (
            service TEXT NOT NULL, target TEXT NOT NULL, epoch INTEGER NOT NULL, before INTEGER,
            since REAL NOT NULL, last_seen REAL NOT NULL,
            system TEXT NOT NULL, binary TEXT NOT NULL, go TEXT NOT NULL, modules TEXT NOT NULL,
            PRIMARY KEY (service, target)
        ) WITHOUT ROWID""",
        # Version 1 had digests of the modules, and of a build on Windows a digest that depended on the time zone.
        # Unknown parts match everything, and are filled in by the next process.
        """UPDATE epoch SET binary = CASE WHEN system = '' THEN binary ELSE '' END, system = '', modules = ''""",
    ),
)


class StorageProblem(StrEnum):
    """Why statistics were lost, or are only in memory."""

    CORRUPT = "corrupt"
    """The file or a part of it could not be read. The file was moved aside, or the part was reset."""
    UNWRITABLE = "unwritable"
    """The file cannot be opened or written, or belongs to another program."""
    FULL = "full"
    """The disk is full."""
    LOCKED = "locked"
    """Another process locked the file for longer than `LOCK_TIMEOUT`."""
    INTERNAL = "internal"  # An error of the exporter itself ended the task that writes the file, for a while.


class DamagedDatabase(Exception):
    """The file is SQLite, but its content is not from this program."""


class ForeignDatabase(Exception):
    """The file is an intact database of another program, and is not touched."""


def database_errors() -> tuple[type[Exception], ...]:
    """All exceptions that a file can cause."""
    import sqlite3  # noqa: PLC0415

    return sqlite3.Error, sqlite3.Warning, OSError, DamagedDatabase, ForeignDatabase


def storage_problem(error: Exception) -> StorageProblem:
    """The problem behind one of `database_errors`."""
    import sqlite3  # noqa: PLC0415

    if isinstance(error, DamagedDatabase):
        return StorageProblem.CORRUPT
    if isinstance(error, OSError):
        return StorageProblem.FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else StorageProblem.UNWRITABLE
    if not isinstance(error, sqlite3.Error):
        return StorageProblem.UNWRITABLE
    # Python itself raises some errors, without a code: all of them are about text that is not UTF-8.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    primary = code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageProblem.LOCKED
    if primary == sqlite3.SQLITE_FULL:
        return StorageProblem.FULL
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)
    return StorageProblem.CORRUPT if primary in damaged else StorageProblem.UNWRITABLE


class Database:
    """One open file, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file and its folder. Raises one of `database_errors`."""
        import sqlite3  # noqa: PLC0415

        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
        self._version: int | None = None
        self.created = False
        """Whether this program has just created the file."""
        try:
            self._prepare()
            self._file_id = file_id(path)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file. Raises sqlite3.Error."""
        self._connection.close()

    def is_replaced(self) -> bool:
        """Whether the path leads to another file or to none: writes to this one would be lost."""
        return file_id(self._path) != self._file_id

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that excludes other writers. Raises sqlite3.Error."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # Some errors, such as a full disk, have already rolled back.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def has_changed(self) -> bool:
        """Whether another connection wrote since `epochs` was last called."""
        return self._version is None or self._number("PRAGMA data_version") != self._version

    def epochs(self) -> dict[int, Epoch]:
        """Every epoch by its row; `id` and `before` are rows. Raises DamagedDatabase."""
        version = self._number("PRAGMA data_version")
        found = {}
        for fields in self._connection.execute(f"SELECT {_COLUMNS} FROM epoch ORDER BY id"):  # noqa: S608  # constant
            epoch = _epoch(fields)
            found[epoch.id] = epoch
        self._version = version
        return found

    def put_epoch(self, epoch: Epoch, row: int | None) -> int:
        """Write an epoch, without its `before`, to its row or to a new one; returns the row."""
        if row is None:
            taken = self._connection.execute("SELECT 1 FROM epoch WHERE id = ?", (epoch.id,)).fetchone()
            row = None if taken else epoch.id
        texts = (_text(epoch.service), *_texts(epoch.fingerprint))
        # Version 1 has the column `entered`.
        written = self._connection.execute(
            f"INSERT OR REPLACE INTO epoch ({_COLUMNS}, entered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",  # noqa: S608  # constant
            (row, *texts, epoch.first_seen, epoch.last_seen, epoch.first_seen),
        )
        if written.lastrowid is None:
            raise DamagedDatabase("an epoch was written, but got no row")
        return written.lastrowid

    def put_before(self, row: int, before: int | None) -> None:
        """Write the row of the epoch before."""
        self._connection.execute("UPDATE epoch SET before = ? WHERE id = ?", (before, row))

    def stays(self) -> dict[tuple[str, str], Stay]:
        """The epoch of every target, by service and name; `epoch` and `before` are rows. Raises DamagedDatabase."""
        found = {}
        for fields in self._connection.execute(f"SELECT {_STAY_COLUMNS} FROM stay"):  # noqa: S608  # constant
            key, stay = _stay(fields)
            found[key] = stay
        return found

    def put_stay(self, service: str, target: str, stay: Stay, row: int, before: int | None) -> None:
        """Write the epoch of a target; `row` and `before` are rows."""
        self._connection.execute(
            f"INSERT OR REPLACE INTO stay ({_STAY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # constant
            (_text(service), _text(target), row, before, stay.since, stay.last_seen, *_texts(stay.fingerprint)),
        )

    def delete_stays(self, before: float) -> None:
        """Remove targets that were last seen before this time."""
        self._connection.execute("DELETE FROM stay WHERE last_seen < ?", (before,))

    def sketches(self, row: int) -> dict[str, bytes]:
        """The encoded sketches of an epoch by signal. Raises DamagedDatabase."""
        found = self._connection.execute("SELECT signal, sketch FROM sketch WHERE epoch = ?", (row,)).fetchall()
        if not all(isinstance(signal, str) and isinstance(data, bytes) for signal, data in found):
            raise DamagedDatabase("a sketch is not a row of text and bytes")
        return dict(found)

    def sketch(self, row: int, signal: str) -> bytes | None:
        """One encoded sketch."""
        found = self._connection.execute(
            "SELECT sketch FROM sketch WHERE epoch = ? AND signal = ?", (row, _text(signal))
        ).fetchone()
        if found is None:
            return None
        return found[0] if isinstance(found[0], bytes) else b""

    def put_sketches(self, sketches: Iterable[tuple[int, str, Sketch]]) -> None:
        """Write sketches by row and signal, replacing the previous ones."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO sketch (epoch, signal, sketch) VALUES (?, ?, ?)",
            ((row, _text(signal), sketch.encode()) for row, signal, sketch in sketches),
        )

    def delete(self, row: int) -> None:
        """Remove an epoch and its sketches."""
        self._connection.execute("DELETE FROM sketch WHERE epoch = ?", (row,))
        self._connection.execute("DELETE FROM epoch WHERE id = ?", (row,))
        self._connection.execute("UPDATE epoch SET before = NULL WHERE before = ?", (row,))
        self._connection.execute("DELETE FROM stay WHERE epoch = ?", (row,))
        self._connection.execute("UPDATE stay SET before = NULL WHERE before = ?", (row,))

    def size(self) -> int:
        """Bytes in use, without those that `shrink` frees."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def shrink(self) -> None:
        """Return unused space to the system."""
        # `execute` would stop after the first page: this statement has one step per page, without a result.
        self._connection.executescript("PRAGMA incremental_vacuum")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _prepare(self) -> None:
        tables = self._number("SELECT count(*) FROM sqlite_master")
        if tables and self._number("PRAGMA application_id") != _APPLICATION:
            raise ForeignDatabase("the file is a database of another program")
        if not tables:
            # This only has an effect before the first page is written, which the next statement does.
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
        # With a write-ahead log, this survives a crash of the program; a power cut can lose the last transactions.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(f"PRAGMA journal_size_limit = {2**22}").fetchall()
        if self._number("PRAGMA user_version") != len(_MIGRATIONS):
            with self.transaction():
                self._migrate()
        for columns, table in ((_COLUMNS, "epoch"), ("epoch, signal, sketch", "sketch"), (_STAY_COLUMNS, "stay")):
            self._connection.execute(f"SELECT {columns} FROM {table} LIMIT 1").fetchall()  # noqa: S608  # constants

    def _migrate(self) -> None:
        version = self._number("PRAGMA user_version")
        if version > len(_MIGRATIONS):
            raise DamagedDatabase(f"the file has version {version}, this program knows {len(_MIGRATIONS)}")
        for step in _MIGRATIONS[version:]:
            for statement in step:
                self._connection.execute(statement)
        if version < len(_MIGRATIONS):
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
        self.created = version == 0


def move_corrupt(path: Path, now: float) -> Path:
    """Move a corrupt file and its log to a name with the Unix time; returns the new path. Raises OSError."""
    target = path.with_name(f"{path.name}.corrupt-{int(now)}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.corrupt-{int(now)}-{number}")
    path.rename(target)
    # SQLite would apply a log that stayed behind to the new file.
    for suffix in ("-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(target.with_name(target.name + suffix))
    _remove_old_corrupt(path)
    return target


def _remove_old_corrupt(path: Path) -> None:
    """Remove old corrupt files, so that a disk that keeps corrupting files does not fill up."""
    corrupt = [
        other
        for other in path.parent.iterdir()
        if other.name.startswith(f"{path.name}.corrupt-") and not other.name.endswith(("-wal", "-shm"))
    ]
    for old in sorted(corrupt, key=lambda other: (other.stat().st_mtime, other.name))[:-MAX_CORRUPT_FILES]:
        for suffix in ("", "-wal", "-shm"):
            old.with_name(old.name + suffix).unlink(missing_ok=True)


def file_id(path: Path) -> tuple[int, int] | None:
    """Device and inode, which distinguish files of the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _epoch(fields: tuple[object, ...]) -> Epoch:
    match fields:
        case (
            int(id),
            str(service),
            str(system),
            str(binary),
            str(go),
            str(modules),
            float(first),
            float(last),
            None | int() as before,
        ):
            return Epoch(id, service, Fingerprint(system, binary, go, modules), first, last, before)
    raise DamagedDatabase("a row of the epochs holds values of wrong types")


def _stay(fields: tuple[object, ...]) -> tuple[tuple[str, str], Stay]:
    match fields:
        case (
            str(service),
            str(target),
            int(epoch),
            None | int() as before,
            float(since),
            float(last),
            str(system),
            str(binary),
            str(go),
            str(modules),
        ):
            return (service, target), Stay(epoch, before, since, last, Fingerprint(system, binary, go, modules))
    raise DamagedDatabase("a row of the targets holds values of wrong types")


def _texts(mark: Fingerprint) -> tuple[str, str, str, str]:
    return _text(mark.system), _text(mark.binary), _text(mark.go), _text(mark.modules)


def _text(text: str) -> str:
    """Text that SQLite can store: lone surrogates, possible in file names, have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
