"""What is known of each target outlives the exporter, a migration and another exporter."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from pprof_exporter.store import EpochRetention, Fingerprint, Stay, StorageProblem, Store
from pprof_exporter.store.database import Database
from pprof_exporter.store.schema import MIGRATIONS
from pprof_exporter.store.sketch import Sketch
from pprof_exporter.store.stays import Stays
from tests.store.observing import MARK, NEXT, aside, change, count, enter, observe, select


def upgraded(path: Path) -> Store:
    """A service of which target a was upgraded, and b was not."""
    store = Store.open(path, 0.0)
    observe(store, 20, MARK, 1.0, "a")
    observe(store, 20, MARK, 1.0, "b")
    observe(store, 30, NEXT, 10.0, "a")
    return store


# Over restarts.


def test_stays_are_there_after_a_restart(path: Path) -> None:
    store = upgraded(path)
    stays = [store.stay("shop", target) for target in "ab"]
    comparison = store.compare("shop", "a")
    assert comparison is not None
    store.close(20.0)
    store = Store.open(path, 30.0)
    assert [store.stay("shop", target) for target in "ab"] == stays
    assert (store.compare("shop", "a"), store.compare("shop", "b")) == (comparison, None)


def test_a_restart_is_no_upgrade_and_does_not_end_one(path: Path) -> None:
    upgraded(path).close(20.0)
    store = Store.open(path, 30.0)
    assert enter(store, NEXT, 30.0, "a").id == 2
    assert enter(store, MARK, 30.0, "b").id == 1
    stay = store.stay("shop", "a")
    assert stay is not None
    assert (stay.before, stay.since) == (1, 10.0)


def test_an_upgrade_while_the_exporter_was_down_is_one_upgrade(path: Path) -> None:
    upgraded(path).close(20.0)
    store = Store.open(path, 30.0)
    assert enter(store, NEXT, 30.0, "b").id == 2
    found = store.compare("shop", "b")
    assert found is not None
    assert (found.before.id, found.now.id, found.since) == (1, 2, 30.0)


def test_a_rollback_while_the_exporter_was_down_begins_a_third_epoch(path: Path) -> None:
    upgraded(path).close(20.0)
    store = Store.open(path, 30.0)
    assert enter(store, MARK, 30.0, "a").id == 3
    store.close(40.0)
    store = Store.open(path, 50.0)
    assert [epoch.id for epoch in store.epochs("shop")] == [1, 2, 3]
    assert enter(store, MARK, 50.0, "a").id == 3
    assert enter(store, MARK, 50.0, "b").id == 1


def test_the_latest_known_parts_are_those_of_earlier_epochs_too(path: Path) -> None:
    store = Store.open(path, 0.0)
    enter(store, MARK, 1.0)
    enter(store, Fingerprint(go="go1.26.0+"), 2.0)
    store.close(3.0)
    stay = Store.open(path, 4.0).stay("shop", "a")
    assert stay is not None
    assert stay.fingerprint == Fingerprint("windows 1", "build 1", "go1.26.0+", "none")


def test_a_write_that_failed_is_made_up_for(path: Path) -> None:
    store = Store.open(path, 0.0)
    enter(store, MARK, 1.0)
    assert store._database is not None
    store._database._connection.rows("PRAGMA query_only = ON")
    assert not store.flush(2.0)
    enter(store, NEXT, 3.0)
    assert not store.flush(4.0)
    store._database._connection.rows("PRAGMA query_only = OFF")
    assert store.flush(5.0)
    again = Store.open(path, 6.0)
    assert again.stay("shop", "a") == store.stay("shop", "a")
    assert select(path, "SELECT epoch, before FROM stay") == [(2, 1)]


def test_a_commit_that_fails_leaves_nothing_half_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(path, 0.0)
    observe(store, 3)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "put_sketches", fail)
        assert not store.flush(1.0)
    assert select(path, "SELECT * FROM stay") == select(path, "SELECT * FROM epoch") == []
    assert store.troubles == {StorageProblem.FULL: 1}
    assert store.flush(2.0)
    again = Store.open(path, 3.0)
    assert (again.stay("shop", "a"), count(again)) == (store.stay("shop", "a"), 3)


def test_an_unchanged_stay_is_written_once_an_hour() -> None:
    stays = Stays()
    key = "shop", "a"
    for now in range(0, 10_000, 60):
        stays.put(key, Stay(1, None, 0.0, float(now), MARK))
        written = stays.take()
        assert set(written) == ({key} if now in {0, 3660, 7320} else set())
    stays.put(key, Stay(2, 1, 9_960.0, 9_960.0, MARK))
    assert set(stays.take()) == {key}


# Other files.


def version_1(path: Path) -> None:
    path.parent.mkdir()
    sketch = Sketch.of([0.1] * 20).encode()
    rows = [
        (1, "shop", "", "prometheus a1b2", "go1.24.11", "", 0.0, 10.0, 0.0, None),
        (2, "shop", "", "prometheus c3d4", "go1.27.3", "", 10.0, 20.0, 10.0, 1),
        (3, "mail", "a1b2c3", "mail d4e5f6", "go1.24.11", "b2c3d4", 0.0, 20.0, 0.0, None),
    ]
    with sqlite3.connect(path) as other:
        for statement in MIGRATIONS[0]:
            other.execute(statement)
        other.executemany("INSERT INTO epoch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        other.executemany("INSERT INTO sketch VALUES (?, 'latency', ?)", [(row[0], sketch) for row in rows])
        other.execute("PRAGMA application_id = 0x70707266")
        other.execute("PRAGMA user_version = 1")
    other.close()


def test_a_file_of_version_1_is_migrated_with_its_epochs_and_values(path: Path) -> None:
    version_1(path)
    store = Store.open(path, 30.0)
    assert (store.troubles, aside(path)) == ({}, [])
    assert select(path, "PRAGMA user_version") == [(3,)]
    old, new = store.epochs("shop")
    assert (old.fingerprint, new.fingerprint) == (
        Fingerprint("", "prometheus a1b2", "go1.24.11", ""),
        Fingerprint("", "prometheus c3d4", "go1.27.3", ""),
    )
    assert [store.summaries(epoch.id)["latency"].count for epoch in (old, new)] == [20, 20]
    # Version 1 did not know targets: what is there now is no upgrade, and the next one is.
    assert enter(store, new.fingerprint, 30.0).id == new.id
    assert store.compare("shop", "a") is None
    enter(store, Fingerprint("", "prometheus e5f6", "go1.27.3", ""), 40.0)
    assert store.flush(50.0)
    stay = Store.open(path, 60.0).stay("shop", "a")
    assert stay is not None
    assert stay.before == new.id


def test_digests_of_version_1_on_windows_are_unknown_and_are_filled_in(path: Path) -> None:
    version_1(path)
    store = Store.open(path, 30.0)
    assert [epoch.fingerprint for epoch in store.epochs("mail")] == [Fingerprint("", "", "go1.24.11", "")]
    now = Fingerprint("ntdll.dll 2026", "mail.exe a1b2", "go1.24.11", "none")
    assert enter(store, now, 40.0, service="mail").id == 3
    store.close(50.0)
    assert [epoch.fingerprint for epoch in Store.open(path, 60.0).epochs("mail")] == [now]


def test_two_exporters_migrate_one_file_once(path: Path) -> None:
    version_1(path)
    one, two = Store.open(path, 30.0), Store.open(path, 30.0)
    assert one.epochs("shop") == two.epochs("shop")
    assert one.troubles == two.troubles == {}


def test_a_stay_in_an_epoch_that_is_not_there_is_passed_over(path: Path) -> None:
    upgraded(path).close(20.0)
    change(path, "UPDATE stay SET epoch = 99 WHERE target = 'a'", "UPDATE stay SET before = 98 WHERE target = 'b'")
    store = Store.open(path, 30.0)
    assert (store.troubles, store.stay("shop", "a")) == ({}, None)
    stay = store.stay("shop", "b")
    assert stay is not None
    assert (stay.epoch, stay.before) == (1, None)
    assert enter(store, NEXT, 30.0, "a").id == 2


def test_a_stay_that_follows_itself_has_no_comparison(path: Path) -> None:
    upgraded(path).close(20.0)
    change(path, "UPDATE stay SET before = epoch", "UPDATE epoch SET before = id")
    store = Store.open(path, 30.0)
    assert store.compare("shop", "a") is None
    assert enter(store, MARK, 40.0, "a").id == 3
    assert store.compare("shop", "a") is not None


@pytest.mark.parametrize("column", ["since", "last_seen", "epoch", "before", "go"])
def test_damaged_stays_are_damage_of_the_file(path: Path, column: str) -> None:
    upgraded(path).close(20.0)
    change(path, f"UPDATE stay SET {column} = x'00ff'")  # noqa: S608  # constants
    store = Store.open(path, 30.0)
    assert (store.troubles, len(aside(path))) == ({StorageProblem.CORRUPT: 1}, 1)
    assert store.epochs("shop") == []


def test_a_removed_file_is_written_again_with_all_stays(path: Path) -> None:
    store = upgraded(path)
    assert store.flush(20.0)
    for file in path.parent.iterdir():
        file.unlink()
    assert store.flush(30.0)
    again = Store.open(path, 40.0)
    assert [again.stay("shop", target) for target in "ab"] == [store.stay("shop", target) for target in "ab"]
    assert again.compare("shop", "a") == store.compare("shop", "a")


def test_stays_follow_to_a_file_in_which_epochs_have_other_rows(path: Path) -> None:
    store = upgraded(path)
    assert store.flush(20.0)
    other = path.with_name("other.db")
    second = Store.open(other, 0.0)
    for number in range(5):
        enter(second, Fingerprint(binary=f"build {number}"), float(number), service="mail")
    observe(second, 7, MARK, 2.0, "c")
    second.close(6.0)
    for file in path.parent.glob("history.db*"):
        file.unlink()
    other.rename(path)
    assert store.flush(30.0)
    assert select(path, "SELECT target, epoch, before FROM stay WHERE service = 'shop' ORDER BY target") == [
        ("a", 7, 6),
        ("b", 6, None),
        ("c", 6, None),
    ]
    again = Store.open(path, 40.0)
    stay = again.stay("shop", "a")
    assert stay is not None
    assert [epoch.fingerprint for epoch in again.epochs("shop") if epoch.id == stay.before] == [MARK]


def test_what_was_before_is_found_once_the_file_can_be_read(path: Path) -> None:
    upgraded(path).close(20.0)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("PRAGMA journal_mode = DELETE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        store = Store.open(path, 30.0)
        observe(store, 5, NEXT, 30.0, "a")
        observe(store, 5, NEXT, 30.0, "b")
        assert (store.compare("shop", "a"), store.compare("shop", "b")) == (None, None)
        other.execute("COMMIT")
    other.close()
    assert store.flush(40.0)
    for target, since in (("a", 10.0), ("b", 30.0)):
        found = store.compare("shop", target)
        assert found is not None
        assert (found.before.fingerprint, found.now.fingerprint, found.since) == (MARK, NEXT, since)
        assert found.signals["latency"][1].count == 40


def test_an_epoch_from_before_the_file_could_be_read_is_joined_with_the_latest_return(path: Path) -> None:
    store = Store.open(path, 0.0)
    for now, mark in ((10.0, MARK), (100.0, NEXT), (200.0, MARK)):
        observe(store, 10, mark, now)
    store.close(300.0)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("PRAGMA journal_mode = DELETE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        store = Store.open(path, 310.0)
        observe(store, 5, MARK, 310.0)
        other.execute("COMMIT")
    other.close()
    assert store.flush(320.0)
    assert select(path, "SELECT id, last_seen FROM epoch") == [(1, 10.0), (2, 100.0), (3, 310.0)]
    assert count(store) == 15
    found = store.compare("shop", "a")
    assert found is not None
    assert (found.before.fingerprint, found.since) == (NEXT, 200.0)


# Two exporters on one file.


def test_two_exporters_that_watch_one_service_share_its_epochs_and_stays(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    for now, mark in ((1.0, MARK), (10.0, NEXT), (20.0, MARK)):
        for store in (one, two):
            observe(store, 10, mark, now + (store is two))
        for store in (two, one, two):
            assert store.flush(now + 5)
    assert [len(store.epochs("shop")) for store in (one, two, Store.open(path, 30.0))] == [3, 3, 3]
    assert select(path, "SELECT target, epoch, before FROM stay") == [("a", 3, 2)]
    assert one.compare("shop", "a") is not None
    found = Store.open(path, 30.0).compare("shop", "a")
    assert found is not None
    assert [summary.count for summary in found.signals["latency"]] == [20, 20]


def test_two_exporters_with_targets_of_their_own_keep_apart_what_they_wrote(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    observe(one, 5, MARK, 1.0, "a")
    observe(two, 5, Fingerprint(binary="other"), 1.0, "b")
    assert one.flush(2.0)
    observe(two, 5, NEXT, 3.0, "b")
    assert two.flush(4.0)
    observe(one, 5, NEXT, 5.0, "a")
    assert one.flush(6.0)
    third = Store.open(path, 7.0)
    for target, before in (("a", MARK), ("b", Fingerprint(binary="other"))):
        found = third.compare("shop", target)
        assert found is not None
        assert (found.before.fingerprint, found.now.fingerprint) == (before, NEXT)
    assert one.troubles == two.troubles == {}


def test_an_epoch_that_another_exporter_removed_is_written_again_with_its_stays(path: Path) -> None:
    one = upgraded(path)
    assert one.flush(20.0)
    two = Store.open(path, 30.0)
    assert two.expire(30.0, EpochRetention(size=0)) == 2
    assert select(path, "SELECT * FROM stay") == []
    observe(one, 4, NEXT, 40.0, "a")
    assert one.flush(50.0)
    third = Store.open(path, 60.0)
    stay = third.stay("shop", "a")
    assert stay is not None
    assert (count(third, NEXT), stay.before, stay.since) == (4, None, 10.0)
