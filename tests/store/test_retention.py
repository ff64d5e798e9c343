"""What age and size remove of epochs and targets, and what stays comparable then."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.store import EpochRetention, Fingerprint, Store
from pprof_exporter.store.sketch import Sketch
from pprof_exporter.store.stays import STAY_PRECISION
from tests.store.observing import MARK, NEXT, enter, observe, select

DAY = 86400.0


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, path: Path) -> Store:
    return Store.open(None if request.param == "memory" else path, 0.0)


def fill(store: Store, days: int) -> list[int]:
    """Epochs of one day each, with one observation, and a service that was seen on the first day only."""
    ids = [enter(store, MARK, 0.0, service="gone").id]
    for day in range(days):
        epoch = enter(store, Fingerprint(binary=f"build {day}"), day * DAY)
        store.observe(epoch.id, "latency", 1.0)
        ids.append(epoch.id)
    store.flush(days * DAY)
    return ids


def test_age_removes_all_but_the_last_epochs_of_each_service(store: Store) -> None:
    gone, *ids = fill(store, 10)
    assert store.expire(10 * DAY, EpochRetention(epochs=2, age=5.5 * DAY)) == 5
    assert [bool(store.summaries(own)) for own in ids] == [False] * 5 + [True] * 5
    assert store.expire(100 * DAY, EpochRetention(epochs=2, age=5.5 * DAY)) == 3
    assert [bool(store.summaries(own)) for own in ids] == [False] * 8 + [True] * 2
    assert enter(store, MARK, 100 * DAY, service="gone").id == gone


def test_size_removes_the_epochs_that_were_not_seen_for_longest() -> None:
    store = Store.open(None, 0.0)
    gone, *ids = fill(store, 10)
    store.expire(10 * DAY, EpochRetention(epochs=10, age=1000 * DAY, size=200))
    kept = [bool(store.summaries(own)) for own in ids]
    assert kept == sorted(kept)
    assert any(kept)
    assert not all(kept)
    assert enter(store, MARK, 10 * DAY, service="gone").id != gone


def test_no_distribution_is_encoded_to_learn_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    # With a thousand targets that took half a second, in which nothing could be observed.
    store = Store.open(None, 0.0)
    fill(store, 10)
    assert store.expire(10 * DAY, EpochRetention()) == 0
    monkeypatch.delattr(Sketch, "encode")
    assert store.expire(10 * DAY, EpochRetention()) == 0
    assert store.expire(10 * DAY, EpochRetention(size=0)) == 11


def test_nothing_of_a_removed_epoch_stays_in_memory(store: Store) -> None:
    fill(store, 10)
    for epoch in store.epochs("shop"):
        store.observe(epoch.id, "latency", 1.0)
    store.expire(10 * DAY, EpochRetention(size=0))
    ledger = store._ledger
    kept = (ledger._epochs, ledger._records, ledger._fresh, ledger._dirty, ledger._loaded, ledger.rows)
    assert [len(of_epochs) for of_epochs in kept] == [0] * 6


def test_a_target_whose_epoch_before_was_removed_has_no_comparison(store: Store) -> None:
    fill(store, 3)
    assert store.compare("shop", "a") is not None
    store.expire(1000 * DAY, EpochRetention(epochs=1, age=DAY))
    assert len(store.epochs("shop")) == 1
    assert store.compare("shop", "a") is None


def test_a_target_that_is_still_seen_outlives_the_epoch_it_left(store: Store, path: Path) -> None:
    old = enter(store, MARK, 0.0)
    new = enter(store, NEXT, DAY)
    for day in range(2, 40):
        enter(store, NEXT, day * DAY)
    assert store.expire(40 * DAY, EpochRetention(epochs=1, age=30 * DAY)) == 1
    stay = store.stay("shop", "a")
    assert stay is not None
    assert (stay.epoch, stay.before, stay.since) == (new.id, None, DAY)
    assert store.compare("shop", "a") is None
    assert [epoch.id for epoch in store.epochs("shop")] == [new.id]
    back = enter(store, MARK, 41 * DAY)
    assert back.id not in (old.id, new.id)
    if store.persistent:
        assert store.flush(41 * DAY)
        assert select(path, "SELECT epoch, before FROM stay") == [(back.id, new.id)]


def test_targets_that_are_gone_are_removed_and_others_are_not(store: Store, path: Path) -> None:
    enter(store, MARK, 0.0, "gone")
    for day in range(10):
        enter(store, MARK, day * DAY, "a")
    store.expire(10 * DAY, EpochRetention(age=5 * DAY))
    assert store.stay("shop", "gone") is None
    assert store.stay("shop", "a") is not None
    assert len(store.epochs("shop")) == 1
    if store.persistent:
        assert select(path, "SELECT target FROM stay") == [("a",)]
    # It is new when it comes again.
    assert enter(store, NEXT, 11 * DAY, "gone").before is None
    assert store.compare("shop", "gone") is None


def test_a_short_age_does_not_remove_targets_whose_time_is_only_written_once_an_hour(store: Store, path: Path) -> None:
    enter(store, MARK, 0.0)
    enter(store, NEXT, 10.0)
    for now in range(60, 10_000, 60):
        enter(store, NEXT, float(now))
        store.expire(float(now), EpochRetention(age=600.0))
        stay = store.stay("shop", "a")
        assert stay is not None
        assert (stay.before, stay.since) == (1, 10.0)
        assert now - stay.last_seen <= STAY_PRECISION
    if store.persistent:
        assert select(path, "SELECT epoch, before FROM stay") == [(2, 1)]


def test_a_target_in_an_epoch_that_was_removed_begins_anew(store: Store) -> None:
    observe(store, 1, MARK, 0.0)
    new = observe(store, 1, NEXT, 10.0)
    assert store.expire(20.0, EpochRetention(size=0)) == 2
    assert (store.stay("shop", "a"), store.epochs("shop")) == (None, [])
    store.observe(new, "latency", 1.0)
    assert store.enter("shop", "a", NEXT, 30.0, moved=True).before is None
    assert store.compare("shop", "a") is None
    store.close(40.0)
