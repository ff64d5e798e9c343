"""What SQLite does not notice: values that changed on disk, schemas of others, and errors of Python out of a file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pprof_exporter.store import Fingerprint, StorageProblem, Store
from pprof_exporter.store.problems import DamagedDatabase, content_errors, database_errors, storage_problem
from pprof_exporter.store.schema import MIGRATIONS
from tests.store.observing import MARK, aside, change, count, enter, observe, select, written


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with sqlite3.connect(path) as other:
            for statement in statements:
                other.execute(statement)
        other.close()

    return run


def sealed(*statements: str) -> Callable[[Path], None]:
    return lambda path: change(path, *statements)


def byte(at: int, value: int) -> Callable[[Path], None]:
    """Change one byte of the header (https://www.sqlite.org/fileformat.html)."""

    def run(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] = value
        path.write_bytes(data)

    return run


def schema_byte(path: Path) -> None:
    data = path.read_bytes()
    at = data.index(b"CREATE TABLE epoch") + 20
    path.write_bytes(data[:at] + b"\xbe" + data[at + 1 :])


def folder(suffix: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        path.with_name(path.name + suffix).mkdir()

    return run


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a byte of the schema": schema_byte,
    "a time of an epoch": sql("UPDATE epoch SET first_seen = first_seen + 1"),
    "a name of a service": sql("UPDATE epoch SET service = 'shoq'"),
    "the epoch before": sql("UPDATE epoch SET before = 1"),
    "a version": sql("UPDATE epoch SET go = 'go1.25'"),
    "a target": sql("UPDATE stay SET target = 'b'"),
    "the time of a target": sql("UPDATE stay SET since = 2"),
    "a checksum": sql("UPDATE epoch SET checksum = checksum + 1"),
    "no checksum": sql("UPDATE stay SET checksum = NULL"),
    "a view": sql("CREATE VIEW more AS SELECT * FROM epoch"),
    "a trigger": sql("CREATE TRIGGER t AFTER INSERT ON epoch BEGIN DELETE FROM sketch; END"),
    "a table more": sql("CREATE TABLE more (x)"),
    "an index": sql("CREATE INDEX more ON epoch (service)"),
    "a column more": sql("ALTER TABLE stay ADD COLUMN more TEXT NOT NULL DEFAULT 'x'"),
    "other rules for values": sql(
        "CREATE TABLE other AS SELECT * FROM stay", "DROP TABLE stay", "ALTER TABLE other RENAME TO stay"
    ),
    "a negative version": sql("PRAGMA user_version = -1"),
    "an older version than its tables": sql("PRAGMA user_version = 2"),
    "the mark of another program": sql("PRAGMA application_id = 1"),
    "a time that is no number": sealed("UPDATE epoch SET last_seen = 9e999"),
    "a time after all calendars": sealed("UPDATE stay SET since = 1e12"),
    "a row beyond all rows": sealed("UPDATE epoch SET id = 9223372036854775807"),
    "a row before all rows": sealed("UPDATE stay SET epoch = -1"),
    "read-only by its header": byte(18, 3),
    "another encoding": byte(59, 2),
    "a folder in place of the log": folder("-wal"),
    "a folder in place of the journal": folder("-journal"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damage_that_sqlite_does_not_notice_is_moved_aside(path: Path, damage: Callable[[Path], None]) -> None:
    written(path)
    damage(path)
    store = Store.open(path, 1234.5)
    assert store.troubles == {StorageProblem.CORRUPT: 1}
    assert aside(path)[0] == "history.db.corrupt-1234"
    assert (count(store), store.epochs("shop"), store.stay("shop", "a")) == (0, [], None)
    observe(store, 2)
    assert store.flush(1235.0)
    again = Store.open(path, 1236.0)
    assert (count(again), again.troubles) == (2, {})


def test_no_byte_of_the_schema_ends_the_start(path: Path) -> None:
    written(path)
    data = path.read_bytes()
    begin = data.index(b"CREATE TABLE")
    for at in range(begin - 60, begin + 1100, 23):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        path.write_bytes(data[:at] + b"\xbe" + data[at + 1 :])
        store = Store.open(path, 0.0)
        assert (count(store), len(aside(path))) in {(3, 0), (0, 1)}, at
        assert bool(store.troubles) == (count(store) == 0), at
        store.close(1.0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sketch SET signal = 'lost'",
        "UPDATE sketch SET epoch = 2",
        "UPDATE sketch SET checksum = NULL",
        "UPDATE sketch SET sketch = CAST(sketch AS TEXT)",
    ],
)
def test_a_sketch_under_another_name_counts_for_none(path: Path, statement: str) -> None:
    store = Store.open(path, 0.0)
    first = observe(store, 3)
    second = enter(store, Fingerprint(binary="build 2", go="go1.27"), 2.0, "b").id
    store.close(3.0)
    sql(statement)(path)
    again = Store.open(path, 4.0)
    assert [again.summaries(epoch) for epoch in (first, second)] == [{}, {}]
    assert again.troubles == {StorageProblem.CORRUPT: 1}


def test_an_emptied_file_is_counted_and_begun_anew(path: Path) -> None:
    written(path)
    path.write_bytes(b"")
    store = Store.open(path, 0.0)
    assert store.troubles == {StorageProblem.CORRUPT: 1}
    assert "was empty" in store.last_trouble
    observe(store, 2)
    assert store.flush(1.0)
    assert aside(path) == []
    assert (count(Store.open(path, 2.0)), Store.open(path, 3.0).troubles) == (2, {})


def test_a_file_that_is_new_is_no_trouble(path: Path) -> None:
    assert Store.open(path, 0.0).troubles == {}


def test_statistics_about_the_tables_are_no_damage(path: Path) -> None:
    written(path)
    sql("ANALYZE")(path)
    store = Store.open(path, 0.0)
    assert (count(store), store.troubles) == (3, {})


def test_logs_of_a_corrupt_file_go_with_it(path: Path) -> None:
    written(path)
    folder("-wal")(path)
    (path.with_name(path.name + "-wal") / "x").write_text("x")
    for now in range(5):
        Store.open(path, float(now)).close(float(now))
        folder("-journal")(path)
    assert len([name for name in aside(path) if not name.endswith(("-wal", "-shm", "-journal"))]) == 3
    assert not [name for name in aside(path) if name.endswith("corrupt-0-wal")]


def version_2(path: Path) -> None:
    """A file as the version before wrote it, of a program on Windows and one on Linux."""
    written(path)
    with sqlite3.connect(path) as other:
        for table in ("epoch", "sketch", "stay"):
            other.execute(f"ALTER TABLE {table} DROP COLUMN checksum")
        other.execute(
            "INSERT INTO epoch VALUES (2, 'mail', '', 'mail a1b2', 'go1.27.3', '', 0.0, 1.0, 0.0, NULL)",
        )
        other.execute("PRAGMA user_version = 2")
    other.close()


def test_a_file_of_version_2_gets_checksums(path: Path) -> None:
    version_2(path)
    store = Store.open(path, 2.0)
    assert store.troubles == {}
    assert [epoch.fingerprint.binary for service in ("shop", "mail") for epoch in store.epochs(service)] == [
        "",
        "mail a1b2",
    ]
    assert enter(store, MARK, 3.0).id == 1
    assert count(store) == 3
    assert select(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert select(path, "SELECT count(*) FROM sketch WHERE checksum IS NULL") == [(0,)]


def test_a_file_that_an_older_exporter_has_open_waits_for_its_end(path: Path) -> None:
    version_2(path)
    older = sqlite3.connect(path, isolation_level=None)
    older.execute("PRAGMA journal_mode = WAL").fetchall()
    older.execute("SELECT * FROM stay").fetchall()
    store = Store.open(path, 2.0)
    observe(store, 4)
    assert not store.flush(3.0)
    assert set(store.troubles) == {StorageProblem.LOCKED}
    older.close()
    assert store.flush(4.0)
    assert (count(store), aside(path)) == (7, [])


@pytest.mark.parametrize(
    "error",
    [
        UnicodeDecodeError("utf-8", b"\xbe", 0, 1, "invalid start byte"),
        OverflowError("too large"),
        RecursionError("too deep"),
        ValueError("odd"),
        KeyError("odd"),
    ],
)
def test_whatever_python_raises_over_a_content_is_damage(error: Exception) -> None:
    with pytest.raises(DamagedDatabase) as raised, content_errors():
        raise error
    assert storage_problem(raised.value) is StorageProblem.CORRUPT
    assert type(error).__name__ in str(raised.value)


def test_a_lack_of_memory_is_no_damage() -> None:
    with pytest.raises(MemoryError) as raised, content_errors():
        raise MemoryError
    assert isinstance(raised.value, database_errors())
    assert storage_problem(raised.value) is StorageProblem.UNWRITABLE
