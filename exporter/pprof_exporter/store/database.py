"""The database file: SQLite with a write-ahead log, so that a killed program does not corrupt it.

Everything here raises `database_errors` and nothing else; `Store` catches them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pprof_exporter.store import schema
from pprof_exporter.store.connection import DatabaseConnection
from pprof_exporter.store.epoch import Epoch, Stay
from pprof_exporter.store.problems import DamagedDatabase
from pprof_exporter.store.rows import epoch_of, sealed, sketch_of, stay_of, text, texts
from pprof_exporter.store.schema import EPOCH_COLUMNS, SKETCH_COLUMNS, STAY_COLUMNS
from pprof_exporter.store.set_aside import SIDE_FILES, file_id
from pprof_exporter.store.sketch import Sketch

_HEADER = 100
_MAGIC = b"SQLite format 3\0"
# Versions of the format for writing and reading: 1 with a rollback journal, 2 with a write-ahead log.
_FORMATS = {1, 2}


class Database:
    """One open file, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file and its folder."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        empty = _is_empty(path)
        self._connection = DatabaseConnection(path)
        self._version: int | None = None
        self.created = False
        """Whether this program has just created the file."""
        try:
            self._prepare()
            self.emptied = empty and self.created
            """Whether the file was there without content."""
            self._file_id = file_id(path)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def is_replaced(self) -> bool:
        """Whether the path leads to another file or to none: writes to this one would be lost."""
        return file_id(self._path) != self._file_id

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that excludes other writers."""
        with self._connection.transaction():
            yield

    def has_changed(self) -> bool:
        """Whether another connection wrote since `epochs` was last called."""
        return self._version is None or self._connection.number("PRAGMA data_version") != self._version

    def epochs(self) -> dict[int, Epoch]:
        """Every epoch by its row; `id` and `before` are rows."""
        version = self._connection.number("PRAGMA data_version")
        rows = self._connection.rows(f"SELECT {EPOCH_COLUMNS}, checksum FROM epoch ORDER BY id")  # noqa: S608  # constant
        found = {epoch.id: epoch for epoch in map(epoch_of, rows)}
        self._version = version
        return found

    def put_epoch(self, epoch: Epoch, row: int | None) -> int:
        """Write an epoch, without its `before`, to its row or to a new one; returns the row."""
        if row is None:
            taken = self._connection.rows("SELECT 1 FROM epoch WHERE id = ?", (epoch.id,))
            row = None if taken else epoch.id
        # Version 1 has the column `entered`. The row is not known yet: `put_before` adds the checksum.
        return self._connection.insert(
            f"INSERT OR REPLACE INTO epoch ({EPOCH_COLUMNS}, entered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",  # noqa: S608  # constant
            (
                row,
                text(epoch.service),
                *texts(epoch.fingerprint),
                epoch.first_seen,
                epoch.last_seen,
                epoch.first_seen,
            ),
        )

    def put_before(self, row: int, before: int | None) -> None:
        """Write the row of the epoch before, of an epoch that `put_epoch` wrote."""
        self._connection.rows("UPDATE epoch SET before = ? WHERE id = ?", (before, row))
        self._connection.rows(
            f"UPDATE epoch SET checksum = row_checksum({EPOCH_COLUMNS}) WHERE id = ?",  # noqa: S608  # constant
            (row,),
        )

    def stays(self) -> dict[tuple[str, str], Stay]:
        """The epoch of every target, by service and name; `epoch` and `before` are rows."""
        return dict(map(stay_of, self._connection.rows(f"SELECT {STAY_COLUMNS}, checksum FROM stay")))  # noqa: S608  # constant

    def put_stay(self, service: str, target: str, stay: Stay, row: int, before: int | None) -> None:
        """Write the epoch of a target; `row` and `before` are rows."""
        self._connection.insert(
            f"INSERT OR REPLACE INTO stay ({STAY_COLUMNS}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # constant
            sealed(text(service), text(target), row, before, stay.since, stay.last_seen, *texts(stay.fingerprint)),
        )

    def delete_stays(self, before: float) -> None:
        """Remove targets that were last seen before this time."""
        self._connection.rows("DELETE FROM stay WHERE last_seen < ?", (before,))

    def sketches(self, row: int) -> dict[str, bytes]:
        """The encoded sketches of an epoch by signal; no bytes for one that is damaged."""
        query = f"SELECT {SKETCH_COLUMNS}, checksum FROM sketch WHERE epoch = ?"  # noqa: S608  # constant
        return dict(map(sketch_of, self._connection.rows(query, (row,))))

    def sketch(self, row: int, signal: str) -> bytes | None:
        """One encoded sketch; no bytes if it is damaged."""
        query = f"SELECT {SKETCH_COLUMNS}, checksum FROM sketch WHERE epoch = ? AND signal = ?"  # noqa: S608  # constant
        found = self._connection.rows(query, (row, text(signal)))
        return sketch_of(found[0])[1] if found else None

    def put_sketches(self, sketches: Iterable[tuple[int, str, Sketch]]) -> None:
        """Write sketches by row and signal, replacing the previous ones."""
        self._connection.many(
            f"INSERT OR REPLACE INTO sketch ({SKETCH_COLUMNS}, checksum) VALUES (?, ?, ?, ?)",  # noqa: S608  # constant
            (sealed(row, text(signal), sketch.encode()) for row, signal, sketch in sketches),
        )

    def delete(self, row: int) -> None:
        """Remove an epoch and its sketches."""
        self._connection.rows("DELETE FROM sketch WHERE epoch = ?", (row,))
        self._connection.rows("DELETE FROM epoch WHERE id = ?", (row,))
        self._connection.rows("DELETE FROM stay WHERE epoch = ?", (row,))
        for table, columns in (("epoch", EPOCH_COLUMNS), ("stay", STAY_COLUMNS)):
            # A row that is damaged keeps its checksum, so that it is found.
            without = columns.replace("before", "NULL")
            self._connection.rows(
                f"UPDATE {table} SET before = NULL, checksum = row_checksum({without}) "  # noqa: S608  # constants
                f"WHERE before = ? AND checksum = row_checksum({columns})",
                (row,),
            )

    def size(self) -> int:
        """Bytes in use, without those that `shrink` frees."""
        pages = self._connection.number("PRAGMA page_count") - self._connection.number("PRAGMA freelist_count")
        return pages * self._connection.number("PRAGMA page_size")

    def shrink(self) -> None:
        """Return unused space to the system."""
        # One step per page, without a result.
        self._connection.script("PRAGMA incremental_vacuum")
        self._connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prepare(self) -> None:
        connection = self._connection
        # No function is called, and nothing in virtual tables is read, because a schema says so.
        connection.rows("PRAGMA trusted_schema = OFF")
        connection.rows("PRAGMA cell_size_check = ON")
        if schema.is_empty(connection):
            # This only has an effect before the first page is written, which the next statement does.
            connection.rows("PRAGMA auto_vacuum = INCREMENTAL")
        elif not schema.is_latest(connection):
            # Locked as long as another exporter has the file open: one of an older version writes no checksums.
            connection.rows("PRAGMA journal_mode = DELETE")
            self._migrate()
        connection.rows("PRAGMA journal_mode = WAL")
        # With a write-ahead log, this survives a crash of the program; a power cut can lose the last transactions.
        connection.rows("PRAGMA synchronous = NORMAL")
        connection.rows(f"PRAGMA journal_size_limit = {2**22}")
        if not schema.is_latest(connection):
            self._migrate()
        schema.check_schema(connection)

    def _migrate(self) -> None:
        with self.transaction():
            self.created = schema.migrate(self._connection)


def _is_empty(path: Path) -> bool:
    """Whether there is a file without content.

    Raises DamagedDatabase for what SQLite would take for a read-only file, and for a folder in place of a log.
    """
    for suffix in SIDE_FILES:
        if path.with_name(path.name + suffix).is_dir():
            raise DamagedDatabase(f"{path.name}{suffix} is a folder")
    if not path.is_file():
        return False
    # When it is closed, POSIX gives up all locks of this process on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
    # So no other connection of this process may be open, which `Store` sees to.
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if header and not (len(header) == _HEADER and header.startswith(_MAGIC) and {*header[18:20]} <= _FORMATS):
        raise DamagedDatabase("the file is no database")
    return not header
