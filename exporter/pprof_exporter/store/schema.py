"""The tables of the file, in every version, and whether a file has exactly them."""

from __future__ import annotations

import functools
import re

from pprof_exporter.store.connection import DatabaseConnection, TableRow
from pprof_exporter.store.problems import DamagedDatabase, ForeignDatabase

# "pprf", to recognise the database of another program.
_APPLICATION = 0x70707266
EPOCH_COLUMNS = "id, service, system, binary, go, modules, first_seen, last_seen, before"
STAY_COLUMNS = "service, target, epoch, before, since, last_seen, system, binary, go, modules"
SKETCH_COLUMNS = "epoch, signal, sketch"
# Step n leads from version n to n + 1. Append only: files of every version exist.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
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
    # In version 2, the build of a program on Windows was a digest that depended on the spelling of its path. Checksums
    # do not cover `entered`, which nothing reads.
    (
        "UPDATE epoch SET binary = '' WHERE system <> ''",
        "UPDATE stay SET binary = '' WHERE system <> ''",
        *(
            statement
            for table, columns in (("epoch", EPOCH_COLUMNS), ("sketch", SKETCH_COLUMNS), ("stay", STAY_COLUMNS))
            for statement in (
                f"ALTER TABLE {table} ADD COLUMN checksum INTEGER",
                f"UPDATE {table} SET checksum = row_checksum({columns})",  # noqa: S608  # constants
            )
        ),
    ),
)
_OURS = {"epoch", "sketch"}
# SQLite writes statements back with blanks and quotation marks that differ between its versions.
_FORM = re.compile(r"[\s\"'`\[\]]+")


def migrate(connection: DatabaseConnection) -> bool:
    """Bring the file to the latest version, in a transaction. Returns whether it was empty."""
    version = connection.number("PRAGMA user_version")
    if not 0 <= version <= len(MIGRATIONS):
        raise DamagedDatabase(f"the file has version {version}, this program knows {len(MIGRATIONS)}")
    for step in MIGRATIONS[version:]:
        for statement in step:
            connection.rows(statement)
    if version < len(MIGRATIONS):
        connection.rows(f"PRAGMA application_id = {_APPLICATION}")
        connection.rows(f"PRAGMA user_version = {len(MIGRATIONS)}")
    return version == 0


def is_latest(connection: DatabaseConnection) -> bool:
    """Whether the file says that it has the latest version."""
    return connection.number("PRAGMA user_version") == len(MIGRATIONS)


def is_empty(connection: DatabaseConnection) -> bool:
    """Whether the file has no tables yet. Raises ForeignDatabase if it has those of another program."""
    names = {name for (name,) in connection.rows("SELECT name FROM sqlite_master")}
    if names and connection.number("PRAGMA application_id") != _APPLICATION:
        if names >= _OURS:
            raise DamagedDatabase("the file has the tables of this program, and the mark of another")
        raise ForeignDatabase("the file is a database of another program")
    return not names


def check_schema(connection: DatabaseConnection) -> None:
    """Raises DamagedDatabase if SQLite finds its structure damaged, or a table, view, trigger or column is foreign."""
    if _described(connection) != _expected():
        raise DamagedDatabase("the schema is not that of this program")
    # Without `quick`, it would also compare with indexes, of which there are none.
    match connection.rows("PRAGMA quick_check(1)"):
        case [("ok",)]:
            return
        case found:
            raise DamagedDatabase(f"the structure of the file is damaged: {found[0][0] if found else 'no result'}")


@functools.cache
def _expected() -> frozenset[TableRow]:
    """What `_described` is for a new file."""
    connection = DatabaseConnection(":memory:")
    try:
        migrate(connection)
        return _described(connection)
    finally:
        connection.close()


def _described(connection: DatabaseConnection) -> frozenset[TableRow]:
    # Statistics about the tables belong to SQLite: whoever runs ANALYZE leaves them.
    rows = connection.rows("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'")
    return frozenset((type_, name, table, _FORM.sub("", str(sql))) for type_, name, table, sql in rows)
