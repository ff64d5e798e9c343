"""Files of statistics: valid ones with odd rows, mostly with right checksums, and damaged ones."""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from pprof_exporter.store import EpochRetention, Fingerprint, Store
from pprof_exporter.store.checksum import checksum
from pprof_exporter.store.schema import EPOCH_COLUMNS, SKETCH_COLUMNS, STAY_COLUMNS
from pprof_exporter.web.pages.formatting import utc_moment
from tests.damage.statistics import Statistics
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar

_COLUMNS = {"epoch": EPOCH_COLUMNS, "sketch": SKETCH_COLUMNS, "stay": STAY_COLUMNS}
_VALUES: tuple[Any, ...] = (
    *(None, 0, 1, 2, 3, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.5, 1e308, -1e300, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), 253402300800.0, -62135596801.0, 4e18),
    *("", "x", "go1.27.3", "go1.26+", "go+", "+", "none", ", ", "1", "a", "shop-0", "latency", "a" * 100_000),
    *(b"", b"\x00", b"\x01" * 49, b"\xff" * 1000),
)
_SCHEMA = (
    "CREATE VIEW v AS SELECT * FROM epoch",
    "CREATE TABLE more (x)",
    "CREATE INDEX i ON epoch (service)",
    "CREATE TRIGGER t AFTER INSERT ON epoch BEGIN DELETE FROM sketch; END",
    "CREATE TRIGGER t BEFORE UPDATE ON stay BEGIN SELECT RAISE(FAIL, 'no'); END",
    "ALTER TABLE epoch ADD COLUMN more TEXT NOT NULL DEFAULT 'x'",
    "ALTER TABLE stay RENAME COLUMN since TO entered",
    "ALTER TABLE sketch RENAME TO sketches",
    "DROP TABLE stay",
    "PRAGMA user_version = 2",
    "PRAGMA user_version = -1",
    "PRAGMA user_version = 99",
    "PRAGMA application_id = 0",
    "ANALYZE",
)


class Refused(Exception):
    """Something was counted as damaged."""


@cache
def _scratch() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    _KEPT_ALIVE.append(folder)
    return Path(folder.name)


_KEPT_ALIVE: list[tempfile.TemporaryDirectory[str]] = []


@cache
def _right() -> bytes:
    """A file as the exporter writes it."""
    root = _scratch() / "written"
    Statistics().write(root, 0, 6, lambda _: None)
    written = sqlite3.connect(root / "epochs.sqlite", isolation_level=None)
    # In memory there is no write-ahead log.
    written.execute("PRAGMA journal_mode = DELETE").fetchall()
    data = written.serialize()
    written.close()
    return data


def _generate(random: Random) -> bytes:
    if random.random() < 0.2:
        return nasty.damaged(random, _right())
    file = sqlite3.connect(":memory:")
    file.deserialize(_right())
    file.create_function("row_checksum", -1, checksum)
    file.text_factory = bytes
    changed = {_change(random, file) for _ in range(random.choice((1, 1, 2, 4)))}
    if random.random() < 0.8:
        for table in changed - {""}:
            _seal(file, table)
    if random.random() < 0.1:
        try:
            file.execute(random.choice(_SCHEMA))
        except sqlite3.Error:
            file.rollback()
    file.commit()
    data = file.serialize()
    file.close()
    return nasty.damaged(random, data) if random.random() < 0.1 else data


def _change(random: Random, file: sqlite3.Connection) -> str:
    """Change some values of a table; returns which table, or "" if it is not possible."""
    table = random.choice(list(_COLUMNS))
    column = random.choice(_COLUMNS[table].split(", "))
    where = random.choice(("1", "rowid % 2" if table == "epoch" else "epoch % 2", "before IS NULL"))
    if table == "sketch" and "before" in where:
        where = "1"
    try:
        value = _value(random, file, table, column)
        file.execute(f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}", (value,))  # noqa: S608  # constants
    except (sqlite3.Error, OverflowError):
        return ""
    return table


def _value(random: Random, file: sqlite3.Connection, table: str, column: str) -> Any:
    rows = file.execute(f"SELECT {column} FROM {table}").fetchall()  # noqa: S608  # constants
    (known,) = random.choice(rows or [(None,)])
    match random.randrange(6):
        case 0 if isinstance(known, bytes):
            return nasty.damaged(random, known)
        case 1 if isinstance(known, bytes):
            return known.decode("utf-8", "replace") + random.choice(("", "x", "\x00"))
        case 2 if isinstance(known, int | float):
            return random.choice((-known, known + 1, known * 1e9, float(known)))
        case 3:
            return nasty.text(random, ("shop-0", "a")).encode("utf-8", "replace").decode()
    return random.choice(_VALUES)


def _seal(file: sqlite3.Connection, table: str) -> None:
    """Right checksums, as of an exporter that writes odd things."""
    file.text_factory = str
    try:
        file.execute(f"UPDATE {table} SET checksum = row_checksum({_COLUMNS[table]})")  # noqa: S608  # constants
    except sqlite3.Error:
        file.rollback()


def _read(case: bytes) -> None:
    root = _scratch() / "read"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    path = root / "epochs.sqlite"
    path.write_bytes(case)
    store = Store.open(path, 100.0)
    try:
        for service in list(store._ledger._services):
            for epoch in store.epochs(service):
                utc_moment(epoch.first_seen) + utc_moment(epoch.last_seen)
                for signal, summary in store.summaries(epoch.id).items():
                    figures = (summary.mean, summary.stddev, summary.p50, summary.p95, summary.p99, summary.max)
                    assert summary.count > 0, signal
                    assert all(map(math.isfinite, figures)), signal
        for service, target in list(store._ledger.stays._stays):
            store.compare(service, target)
            store.enter(service, target, Fingerprint(go="go1.28.0"), 200.0, moved=True)
            store.observe(store.enter(service, target, Fingerprint(), 201.0).id, "latency", 1.0)
        store.flush(300.0)
        store.expire(301.0, EpochRetention())
        if store.troubles:
            raise Refused(store.last_trouble)
    finally:
        store.close(400.0)


GRAMMARS = (Grammar("statistics", _generate, _read, (Refused,)),)
