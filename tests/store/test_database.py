"""The file outlives the exporter, and whatever happens to it costs history at worst, never the exporter."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pprof_exporter.store import EpochRetention, Fingerprint, StorageProblem, Store
from pprof_exporter.store import store as storing
from pprof_exporter.store.database import Database
from pprof_exporter.store.sketch import Sketch
from tests.store.observing import MARK, NEXT, aside, count, enter, observe, select, written


def connection(store: Store) -> sqlite3.Connection:
    assert store._database is not None
    return store._database._connection._sqlite


# Over restarts.


def test_a_missing_folder_is_created(path: Path) -> None:
    written(path)
    assert path.is_file()


def test_everything_is_there_after_a_restart(path: Path) -> None:
    store = Store.open(path, 0.0)
    old = observe(store, 3)
    new = observe(store, 5, NEXT, 10.0)
    before, stay = store.compare("shop", "a"), store.stay("shop", "a")
    assert before is not None
    store.close(20.0)
    store = Store.open(path, 30.0)
    assert store.compare("shop", "a") == before
    assert store.stay("shop", "a") == stay
    assert [epoch.id for epoch in store.epochs("shop")] == [old, new]
    assert enter(store, NEXT, 30.0).id == new
    assert store.troubles == {}


def test_a_restart_goes_on_where_the_last_run_ended(path: Path) -> None:
    for _ in range(4):
        written(path)
    assert count(Store.open(path, 0.0)) == 12


def test_what_was_not_flushed_is_lost_and_nothing_else(path: Path) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    assert store.flush(1.0)
    observe(store, 4)
    assert count(Store.open(path, 2.0)) == 3


def test_more_than_one_transaction_holds_is_written_in_one_flush(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MOST_SKETCHES", 10)
    store = Store.open(path, 0.0)
    epoch = enter(store, MARK, 1.0)
    for signal in range(35):
        store.observe(epoch.id, f"signal {signal}", 1.0)
    assert store.flush(2.0)
    again = Store.open(path, 3.0)
    assert len(again.summaries(epoch.id)) == 35


def test_a_part_that_fails_is_written_at_the_next_flush_and_the_others_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MOST_SKETCHES", 10)
    store = Store.open(path, 0.0)
    epoch = enter(store, MARK, 1.0)
    for signal in range(35):
        store.observe(epoch.id, f"signal {signal}", 1.0)
    put, parts = Database.put_sketches, iter(range(100))

    def fail_at_the_third(database: Database, sketches: Iterable[tuple[int, str, Sketch]]) -> None:
        if next(parts) == 2:
            raise OSError(errno.ENOSPC, "no space left")
        put(database, sketches)

    monkeypatch.setattr(Database, "put_sketches", fail_at_the_third)
    assert not store.flush(2.0)
    assert len(select(path, "SELECT * FROM sketch")) == 20
    assert store.flush(3.0)
    again = Store.open(path, 4.0)
    assert [summary.count for summary in again.summaries(epoch.id).values()] == [1] * 35


def test_what_memory_has_is_not_read_again_unless_another_exporter_wrote(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    assert store.flush(1.0)
    observe(store, 3)
    with monkeypatch.context() as patched:
        patched.delattr(Database, "sketch")
        assert store.flush(2.0)
    written(path)
    for now in (3.0, 4.0):
        observe(store, 1)
        assert store.flush(now)
    assert (count(store), count(Store.open(path, 5.0))) == (11, 11)


def test_without_a_path_nothing_is_written_and_nothing_is_wrong() -> None:
    store = Store.open(None, 0.0)
    observe(store, 3)
    assert not store.flush(1.0)
    assert not store.persistent
    assert (count(store), store.troubles) == (3, {})


def test_size_is_kept_in_the_file(path: Path) -> None:
    store = Store.open(path, 0.0)
    for build in range(100):
        epoch = enter(store, Fingerprint(binary=f"build {build}"), float(build))
        for signal in range(20):
            store.observe(epoch.id, f"signal {signal}", 1.0)
    removed = store.expire(100.0, EpochRetention(epochs=100, age=1e9, size=100_000))
    assert 0 < removed < 100
    store.close(101.0)
    assert path.stat().st_size <= 100_000
    store = Store.open(path, 102.0)
    assert [epoch.fingerprint.binary for epoch in store.epochs("shop")] == [f"build {n}" for n in range(removed, 100)]
    assert len(store.summaries(enter(store, Fingerprint(binary="build 99"), 103.0).id)) == 20


# Corruption.


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def damage_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 4096] = os.urandom(4096)
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def zero(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(len(data) - 100))


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with sqlite3.connect(path) as other:
            for statement in statements:
                other.execute(statement)
        other.close()

    return run


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no database": garbage,
    "damaged pages": damage_pages,
    "cut": cut,
    "zeros": zero,
    "another schema": sql("ALTER TABLE epoch RENAME COLUMN go TO golang"),
    "a table is missing": sql("DROP TABLE sketch"),
    "a newer version": sql("PRAGMA user_version = 99"),
    "wrong types": sql("UPDATE epoch SET first_seen = 'long ago'"),
    "no UTF-8": sql("UPDATE epoch SET service = CAST(x'ff' AS TEXT)"),
    "no targets": sql("DROP TABLE stay"),
    "targets of another schema": sql("ALTER TABLE stay RENAME COLUMN since TO entered"),
    "targets of wrong types": sql("UPDATE stay SET since = 'long ago'"),
    "a target in no epoch": sql("UPDATE stay SET epoch = 'first'"),
    "a target without UTF-8": sql("UPDATE stay SET target = CAST(x'ff' AS TEXT)"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_bad_file_is_moved_aside_and_a_new_one_begun(path: Path, damage: Callable[[Path], None]) -> None:
    written(path)
    damage(path)
    store = Store.open(path, 1234.5)
    assert aside(path) == ["history.db.corrupt-1234"]
    assert store.troubles == {StorageProblem.CORRUPT: 1}
    assert "history.db.corrupt-1234" in store.last_trouble
    assert count(store) == 0
    observe(store, 2)
    assert store.flush(1235.0)
    assert count(Store.open(path, 1236.0)) == 2


def test_a_file_that_is_overwritten_while_it_is_open_is_begun_anew_with_all_that_memory_has(path: Path) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    assert store.flush(1.0)
    connection(store).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    garbage(path)
    # Until SQLite looks at the file again, it works on what it remembers of it.
    connection(store).execute("PRAGMA shrink_memory")
    observe(store, 4)
    assert store.flush(2.0)
    assert count(store) == 7
    assert store.troubles[StorageProblem.CORRUPT] >= 1
    assert count(Store.open(path, 4.0)) == 7


def test_a_file_that_is_removed_while_it_is_open_is_written_again(path: Path) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    assert store.flush(1.0)
    for file in path.parent.iterdir():
        file.unlink()
    observe(store, 4)
    assert store.flush(2.0)
    assert count(Store.open(path, 3.0)) == 7


def test_one_bad_sketch_costs_one_signal_of_one_epoch(path: Path) -> None:
    store = Store.open(path, 0.0)
    epoch = observe(store, 3)
    store.observe(epoch, "other", 1.0)
    store.close(1.0)
    sql("UPDATE sketch SET sketch = x'00' WHERE signal = 'latency'")(path)
    store = Store.open(path, 2.0)
    assert set(store.summaries(epoch)) == {"other"}
    assert store.troubles == {StorageProblem.CORRUPT: 1}
    observe(store, 2)
    assert store.flush(3.0)
    assert (count(store), aside(path)) == (2, [])


def test_a_disk_that_corrupts_one_file_after_the_other_is_not_filled_with_them(path: Path) -> None:
    for now in range(10):
        written(path)
        garbage(path)
        Store.open(path, float(now)).close(float(now))
    assert len(aside(path)) <= 3


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    sql("CREATE TABLE dashboard (id)")(path)
    held_before = path.read_bytes()
    store = Store.open(path, 0.0)
    observe(store, 3)
    assert not store.flush(1.0)
    assert count(store) == 3
    assert set(store.troubles) == {StorageProblem.UNWRITABLE}
    assert "another program" in store.last_trouble
    assert path.read_bytes() == held_before


# No place to write.


def test_a_path_that_cannot_be_a_file_leaves_everything_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "history.db", Path("/proc/nowhere/history.db")):
        store = Store.open(path, 0.0)
        observe(store, 3)
        assert not store.flush(1.0)
        assert store.expire(2.0, EpochRetention()) == 0
        assert count(store) == 3
        assert set(store.troubles) == {StorageProblem.UNWRITABLE}


def test_what_could_not_be_written_is_written_once_it_can_be(path: Path) -> None:
    path.mkdir(parents=True)
    store = Store.open(path, 0.0)
    epoch = observe(store, 3)
    assert not store.flush(1.0)
    path.rmdir()
    assert store.flush(2.0)
    assert store.persistent
    assert observe(store, 1) == epoch
    store.close(3.0)
    assert count(Store.open(path, 4.0)) == 4


def test_a_full_disk_costs_nothing_once_there_is_room_again(path: Path) -> None:
    store = Store.open(path, 0.0)
    connection(store).execute("PRAGMA max_page_count = 1").fetchall()
    epoch = observe(store, 3)
    for signal in range(500):
        store.observe(epoch, f"signal {signal}", 1.0)
    for now in range(3):
        assert not store.flush(float(now))
    assert store.troubles == {StorageProblem.FULL: 3}
    assert count(store) == 3
    connection(store).execute("PRAGMA max_page_count = 1000000").fetchall()
    assert store.flush(4.0)
    again = Store.open(path, 5.0)
    assert count(again) == 3
    assert len(again.summaries(epoch)) == 501


def test_a_file_that_becomes_read_only_costs_nothing_once_it_is_writable(path: Path) -> None:
    store = Store.open(path, 0.0)
    connection(store).execute("PRAGMA query_only = ON")
    observe(store, 3)
    assert not store.flush(1.0)
    assert store.expire(1.0, EpochRetention(size=0)) == 0
    assert store.troubles[StorageProblem.UNWRITABLE] == 3
    connection(store).execute("PRAGMA query_only = OFF")
    assert store.flush(2.0)
    assert count(Store.open(path, 3.0)) == 3
