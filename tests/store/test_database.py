"""The file outlives the exporter, and whatever happens to it costs history at worst, never the exporter."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pprof_exporter.store import Fingerprint, Policy, Store, Trouble

MARK = Fingerprint("windows 1", "build 1", "go1.24", "none")
NEXT = Fingerprint("windows 2", "build 1", "go1.24", "none")
WRITER = [sys.executable, str(Path(__file__).with_name("writer.py"))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds the file in these tests does not let go of it in time."""
    monkeypatch.setattr("pprof_exporter.store.database.PATIENCE", 0.05)


def observe(store: Store, times: int, mark: Fingerprint = MARK, now: float = 1.0) -> int:
    epoch = store.enter("shop", mark, now).epoch
    for _ in range(times):
        store.observe(epoch.id, "latency", 0.1)
    return epoch.id


def count(store: Store, mark: Fingerprint = MARK, now: float = 1.0) -> int:
    summary = store.summaries(store.enter("shop", mark, now).epoch.id).get("latency")
    return summary.count if summary else 0


def written(path: Path, times: int = 3) -> None:
    store = Store.open(path, 0.0)
    observe(store, times)
    store.close(1.0)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process is writing, and takes its time."""
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


def connection(store: Store) -> sqlite3.Connection:
    assert store._database is not None
    return store._database._connection


def aside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.glob("*.corrupt-*"))


# Over restarts.


def test_a_missing_folder_is_created(path: Path) -> None:
    written(path)
    assert path.is_file()


def test_everything_is_there_after_a_restart(path: Path) -> None:
    store = Store.open(path, 0.0)
    old = observe(store, 3)
    new = observe(store, 5, NEXT, 10.0)
    before = store.compare("shop")
    store.close(20.0)
    store = Store.open(path, 30.0)
    assert store.compare("shop") == before
    assert store.enter("shop", NEXT, 30.0).epoch.id == new
    assert not store.enter("shop", MARK, 30.0).began
    assert store.enter("shop", MARK, 30.0).epoch.id == old
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


def test_without_a_path_nothing_is_written_and_nothing_is_wrong() -> None:
    store = Store.open(None, 0.0)
    observe(store, 3)
    assert not store.flush(1.0)
    assert not store.persistent
    assert (count(store), store.troubles) == (3, {})


def test_size_is_kept_in_the_file(path: Path) -> None:
    store = Store.open(path, 0.0)
    for build in range(100):
        epoch = store.enter("shop", Fingerprint(binary=f"build {build}"), float(build)).epoch
        for signal in range(20):
            store.observe(epoch.id, f"signal {signal}", 1.0)
    removed = store.expire(100.0, Policy(epochs=100, age=1e9, size=100_000))
    assert 0 < removed < 100
    store.close(101.0)
    assert path.stat().st_size <= 100_000
    store = Store.open(path, 102.0)
    assert len(store.summaries(store.enter("shop", Fingerprint(binary="build 99"), 103.0).epoch.id)) == 20
    assert store.enter("shop", Fingerprint(binary="build 0"), 104.0).began


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
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_bad_file_is_moved_aside_and_a_new_one_begun(path: Path, damage: Callable[[Path], None]) -> None:
    written(path)
    damage(path)
    store = Store.open(path, 1234.5)
    assert aside(path) == ["history.db.corrupt-1234"]
    assert store.troubles == {Trouble.CORRUPT: 1}
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
    assert store.troubles[Trouble.CORRUPT] >= 1
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
    assert store.troubles == {Trouble.CORRUPT: 1}
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
    assert set(store.troubles) == {Trouble.UNWRITABLE}
    assert "another program" in store.last_trouble
    assert path.read_bytes() == held_before


# No place to write.


def test_a_path_that_cannot_be_a_file_leaves_everything_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "history.db", Path("/proc/nowhere/history.db")):
        store = Store.open(path, 0.0)
        observe(store, 3)
        assert not store.flush(1.0)
        assert store.expire(2.0, Policy()) == 0
        assert count(store) == 3
        assert set(store.troubles) == {Trouble.UNWRITABLE}


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
    assert store.troubles == {Trouble.FULL: 3}
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
    assert store.expire(1.0, Policy(size=0)) == 0
    assert store.troubles[Trouble.UNWRITABLE] == 3
    connection(store).execute("PRAGMA query_only = OFF")
    assert store.flush(2.0)
    assert count(Store.open(path, 3.0)) == 3


# Several at once.


def test_a_file_that_is_held_is_written_when_it_is_let_go(path: Path) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    with held(path):
        assert not store.flush(1.0)
        assert count(store) == 3
        assert store.troubles == {Trouble.LOCKED: 1}
    assert store.flush(2.0)
    assert count(Store.open(path, 3.0)) == 3


def test_a_file_that_is_held_at_the_start_joins_with_what_happened_meanwhile(path: Path) -> None:
    written(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("PRAGMA journal_mode = DELETE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        store = Store.open(path, 1.0)
        assert store.troubles == {Trouble.LOCKED: 1}
        observe(store, 4)
        observe(store, 1, NEXT, 2.0)
        assert count(store) == 4
        other.execute("COMMIT")
    other.close()
    assert store.flush(3.0)
    assert count(store, now=3.0) == 7
    comparison = store.compare("shop")
    assert comparison is not None
    assert comparison.before.fingerprint == MARK


def test_two_exporters_on_one_file_add_up(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    for now in range(1, 6):
        for store in (one, two):
            observe(store, 3)
            assert store.flush(float(now))
    assert count(two) == 30
    assert count(Store.open(path, 6.0)) == 30
    assert one.troubles == two.troubles == {}


def test_two_exporters_that_open_different_epochs_at_once_do_not_mix_them(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    observe(one, 3, MARK)
    observe(two, 5, NEXT, 2.0)
    assert one.flush(3.0)
    assert two.flush(3.0)
    third = Store.open(path, 4.0)
    assert (count(third, MARK, 4.0), count(third, NEXT, 4.0)) == (3, 5)
    assert (count(two, MARK, 4.0), count(two, NEXT, 4.0)) == (3, 5)
    comparison = third.compare("shop")
    assert comparison is not None
    assert comparison.now.fingerprint == NEXT


def test_epochs_that_another_exporter_removes_are_begun_anew(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    observe(one, 3)
    assert one.flush(1.0)
    assert two.flush(1.0)
    assert two.expire(2.0, Policy(size=0)) == 1
    observe(one, 4)
    assert one.flush(3.0)
    assert count(Store.open(path, 4.0)) == 4


def test_when_one_exporter_replaces_a_corrupt_file_the_other_follows(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    observe(one, 3)
    observe(two, 4)
    assert one.flush(1.0)
    assert two.flush(1.0)
    one._suspect = True
    assert one.flush(2.0)
    observe(two, 1)
    assert two.flush(3.0)
    assert len([name for name in aside(path) if not name.endswith(("-wal", "-shm"))]) == 1
    assert two.troubles == {}
    assert 4 <= count(Store.open(path, 4.0)) <= 8


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    path.parent.mkdir()
    running = [subprocess.Popen([*WRITER, str(path), "30"], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    last = [process.communicate(timeout=60)[0].splitlines()[-1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert count(Store.open(path, 0.0)) == sum(int(line.split()[0]) for line in last)
    assert not aside(path)


def test_threads_may_observe_while_another_one_flushes(path: Path) -> None:
    store = Store.open(path, 0.0)
    epoch = observe(store, 0)

    def work() -> None:
        for _ in range(2000):
            store.observe(epoch, "latency", 0.1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert store.flush(1.0)
        store.summaries(epoch)
    assert store.flush(2.0)
    assert count(store) == count(Store.open(path, 3.0)) == 6000


def test_a_kill_at_any_moment_loses_only_what_was_not_flushed(path: Path) -> None:
    path.parent.mkdir()
    moments = random.Random(20)
    flushed = 0
    for _ in range(30):
        with subprocess.Popen([*WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline()]
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
            said += process.stdout.readlines()
        complete = [line for line in said if line.endswith("\n")]
        assert complete[-1].endswith("{}\n")
        before, flushed = flushed, count(Store.open(path, 0.0))
        done = before + int(complete[-1].split()[0])
        # The flush after the last one that was told may or may not have happened.
        assert flushed in {done, done + 10}
    assert not aside(path)
