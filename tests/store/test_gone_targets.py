"""What is kept of targets that are gone is bounded, by number and by what it takes in memory."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from pprof_exporter.store import EpochRetention, Fingerprint, Store
from pprof_exporter.store.packed import UNUSED_ROUNDS
from tests.store.observing import select

RETENTION = EpochRetention(most=400, targets=400)
SIGNALS = 20
EVERY = 20.0
"""Seconds after which a target is replaced: 180 an hour."""


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, path: Path) -> Store:
    return Store.open(None if request.param == "memory" else path, 0.0)


def replaced(store: Store, numbers: range) -> None:
    """So many targets, one after the other, each with statistics of its own."""
    for number in numbers:
        now = EVERY * number
        epoch = store.enter(f"shop-{number}", f"shop-{number}", Fingerprint(binary=f"build {number}"), now)
        for signal in range(SIGNALS):
            for value in range(3):
                store.observe(epoch.id, f"signal {signal}", 1.0 + value + signal)
        if number % 3 == 0:
            store.expire(now, RETENTION)


def live_objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def test_live_objects_do_not_grow_with_targets_that_were_replaced(store: Store) -> None:
    replaced(store, range(702))
    before = live_objects()
    replaced(store, range(702, 1203))
    # Half an object for each target; those of one epoch in memory are 60 and more.
    assert live_objects() - before < 250
    assert len(store._ledger._epochs) <= RETENTION.most + 3
    assert len(store._ledger.stays._stays) <= RETENTION.targets + 3
    assert store.troubles == {}


def test_the_file_has_no_more_than_memory(path: Path) -> None:
    store = Store.open(path, 0.0)
    replaced(store, range(1000))
    store.expire(20_000.0, RETENTION)
    for table in ("epoch", "stay"):
        assert select(path, f"SELECT count(*) FROM {table}") == [(RETENTION.most,)]  # noqa: S608  # constants
    assert select(path, "SELECT count(*) FROM sketch") == [(RETENTION.most * SIGNALS,)]


def test_the_longest_unseen_epochs_go_first_and_those_of_targets_that_are_there_stay(store: Store) -> None:
    replaced(store, range(100))
    stays = store.enter("stays", "stays", Fingerprint(binary="build"), 0.0)
    for number in range(100, 1000):
        replaced(store, range(number, number + 1))
        store.enter("stays", "stays", Fingerprint(binary="build"), EVERY * number)
    store.expire(20_000.0, RETENTION)
    assert [epoch.id for epoch in store.epochs("stays")] == [stays.id]
    assert store.stay("stays", "stays") is not None
    assert store.epochs("shop-500") == []
    assert len(store.epochs("shop-999")) == 1


def test_a_replica_that_is_gone_is_forgotten_although_its_service_is_there(store: Store) -> None:
    for number in range(1000):
        store.enter("shop", f"shop-{number}", Fingerprint(binary="build"), EVERY * number)
        store.expire(EVERY * number, RETENTION)
    assert len(store.epochs("shop")) == 1
    assert len(store._ledger.stays._stays) == RETENTION.targets
    assert store.stay("shop", "shop-599") is None
    assert store.stay("shop", "shop-600") is not None


def test_statistics_of_a_target_that_comes_back_go_on(store: Store) -> None:
    mark, values = Fingerprint(binary="build"), [1.0, 2.0, 3.0]
    epoch = store.enter("shop", "a", mark, 0.0)
    for value in values:
        store.observe(epoch.id, "latency", value)
    for now in range(UNUSED_ROUNDS + 1):
        store.expire(10_000.0 + now, RETENTION)
    assert epoch.id not in store._ledger._records, "its statistics are not small"
    assert store.enter("shop", "a", mark, 10_100.0).id == epoch.id
    store.observe(epoch.id, "latency", 4.0)
    summary = store.summaries(epoch.id)["latency"]
    assert (summary.count, summary.min, summary.max) == (4, 1.0, 4.0)
    store.expire(10_101.0, RETENTION)
    assert store.summaries(epoch.id)["latency"].count == 4


def test_an_epoch_that_a_target_is_compared_with_is_not_read_again_and_again(store: Store) -> None:
    old = store.enter("shop", "a", Fingerprint(binary="old"), 0.0)
    for value in range(20):
        store.observe(old.id, "latency", float(value))
    for now in range(0, 20_000, 1000):
        store.enter("shop", "a", Fingerprint(binary="new"), 10.0 + now, moved=not now)
        store.expire(10.0 + now, RETENTION)
        store.compare("shop", "a")
    assert old.id in store._ledger._records


def test_what_a_broken_disk_does_not_take_is_small_too_and_written_when_it_does(path: Path) -> None:
    path.mkdir(parents=True)
    store = Store.open(path, 0.0)
    replaced(store, range(300))
    small = len(store._ledger._packed)
    assert small > 0
    assert len(store._ledger._records) <= 3 * (UNUSED_ROUNDS + 1)
    path.rmdir()
    assert store.flush(6001.0)
    assert select(path, "SELECT count(*) FROM sketch") == [(300 * SIGNALS,)]


def test_without_a_file_what_is_kept_of_targets_that_are_gone_has_a_size() -> None:
    store = Store.open(None, 0.0)
    replaced(store, range(300))
    store.expire(100_000.0, EpochRetention(idle=10_000))
    kept = len(store._ledger._epochs)
    assert 0 < kept < 300
    assert sum(store._ledger.size(epoch) for epoch in store._ledger._epochs) <= 10_000
