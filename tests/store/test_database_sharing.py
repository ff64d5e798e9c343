"""Several at once on one file: exporters, threads, and one that is killed lose nothing of what was flushed."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pprof_exporter.store import EpochRetention, StorageProblem, Store
from tests.lab import PATIENCE
from tests.store.observing import MARK, NEXT, aside, count, observe, written

WRITER = [sys.executable, str(Path(__file__).with_name("writer.py"))]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process is writing, and takes its time."""
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


def test_a_file_that_is_held_is_written_when_it_is_let_go(path: Path) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)
    with held(path):
        assert not store.flush(1.0)
        assert count(store) == 3
        assert store.troubles == {StorageProblem.LOCKED: 1}
    assert store.flush(2.0)
    assert count(Store.open(path, 3.0)) == 3


def test_a_file_that_is_held_at_the_start_joins_with_what_happened_meanwhile(path: Path) -> None:
    written(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("PRAGMA journal_mode = DELETE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        store = Store.open(path, 1.0)
        assert store.troubles == {StorageProblem.LOCKED: 1}
        observe(store, 4)
        observe(store, 1, NEXT, 2.0)
        assert count(store) == 4
        other.execute("COMMIT")
    other.close()
    assert store.flush(3.0)
    assert count(store) == 7
    comparison = store.compare("shop", "a")
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
    assert (count(third, MARK), count(third, NEXT)) == (3, 5)
    assert (count(two, MARK), count(two, NEXT)) == (3, 5)


def test_epochs_that_another_exporter_removes_are_begun_anew(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    observe(one, 3)
    assert one.flush(1.0)
    assert two.flush(1.0)
    assert two.expire(2.0, EpochRetention(size=0)) == 1
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
    last = [process.communicate(timeout=PATIENCE)[0].splitlines()[-1] for process in running]
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
