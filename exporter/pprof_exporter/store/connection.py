"""A connection to SQLite that raises only `database_errors`, whatever the file holds.

SQLite takes a megabyte, so it is loaded with the first file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pprof_exporter.store.checksum import checksum
from pprof_exporter.store.problems import DamagedDatabase, content_errors

LOCK_TIMEOUT = 1.0
"""Seconds to wait for another process that has locked the file."""
MAX_VALUE_BYTES = 2**24
"""The longest value or statement. A sketch has a few KiB; a damaged length would ask for a gigabyte."""

Value = str | bytes | int | float | None
TableRow = tuple[object, ...]


class DatabaseConnection:
    """One open file, for one thread at a time."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file. Nothing is read yet."""
        import sqlite3  # noqa: PLC0415

        with content_errors():
            self._sqlite = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
        self._sqlite.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        self._sqlite.create_function("row_checksum", -1, checksum, deterministic=True)

    def close(self) -> None:
        """Close the file."""
        self._sqlite.close()

    def rows(self, query: str, values: Sequence[Value] = ()) -> list[TableRow]:
        """All rows of the result."""
        with content_errors():
            return self._sqlite.execute(query, values).fetchall()

    def number(self, query: str) -> int:
        """The single number that the result consists of."""
        match self.rows(query):
            case [(int(number),)]:
                return number
        raise DamagedDatabase(f"{query} has no number as its result")

    def insert(self, statement: str, values: Sequence[Value]) -> int:
        """Insert one row; returns its number."""
        with content_errors():
            row = self._sqlite.execute(statement, values).lastrowid
        if row is None:
            raise DamagedDatabase("a row was written, but got no number")
        return row

    def many(self, statement: str, values: Iterable[Sequence[Value]]) -> None:
        """The same statement with each of these values."""
        with content_errors():
            self._sqlite.executemany(statement, values)

    def script(self, statement: str) -> None:
        """A statement in all its steps: `rows` stops after the first one of a statement without a result."""
        with content_errors():
            self._sqlite.executescript(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that excludes other writers."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            # Some errors, such as a full disk, have already rolled back.
            if self._sqlite.in_transaction:
                self.rows("ROLLBACK")
            raise
