"""What can be wrong with the file of statistics, and the one place where errors of its content get their class.

A damaged file makes SQLite and Python raise almost anything: text that is not UTF-8 in the schema, for one, is a
`UnicodeDecodeError` out of `Connection.execute`. So nobody lists them: `content_errors` turns all of them into
`DamagedDatabase`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


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
    INTERNAL = "internal"
    """An error of the exporter itself ended the task that writes the file, for a while."""


class DamagedDatabase(Exception):
    """The content of the file is not what this program wrote."""


class ForeignDatabase(Exception):
    """The file is an intact database of another program, and is not touched."""


def database_errors() -> tuple[type[Exception], ...]:
    """All exceptions that a file can cause, within `content_errors`."""
    import sqlite3  # noqa: PLC0415

    return sqlite3.Error, sqlite3.Warning, OSError, MemoryError, DamagedDatabase, ForeignDatabase


@contextmanager
def content_errors() -> Iterator[None]:
    """Any other error while SQLite is asked, or an answer is read, is `DamagedDatabase`."""
    try:
        yield
    except database_errors():
        raise
    except Exception as error:
        raise DamagedDatabase(f"the content cannot be read: {type(error).__name__}: {error}") from error


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
    damaged = (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_MISMATCH,
        # A value longer than `MAX_VALUE_BYTES`, and rules of a schema of others.
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
    )
    return StorageProblem.CORRUPT if primary in damaged else StorageProblem.UNWRITABLE
