"""Which epoch each target is in, and what it is compared with: upgrades, steps, rollbacks and first sights."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.store import Epoch, Fingerprint, Store
from tests.store.observing import enter

OLD = Fingerprint("windows 1", "build 1", "go1.24.1", "none")
NEW = Fingerprint("windows 2", "build 1", "go1.24.1", "none")
NEWER = Fingerprint("windows 2", "build 2", "go1.25.0", "none")
DAY = 86400.0


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """What holds for epochs holds in memory, and with a file."""
    return Store.open(None if request.param == "memory" else tmp_path / "history.db", 0.0)


def fill(store: Store, epoch: Epoch, times: int, value: float = 0.1) -> None:
    for _ in range(times):
        store.observe(epoch.id, "latency", value)


def compared(store: Store, target: str) -> tuple[int, int] | None:
    found = store.compare("shop", target)
    return (found.before.id, found.now.id) if found else None


# First sight.


def test_a_first_sight_has_nothing_before_it(store: Store) -> None:
    epoch = enter(store, OLD, 10.0)
    assert (epoch.first_seen, epoch.last_seen, epoch.before) == (10.0, 10.0, None)
    stay = store.stay("shop", "a")
    assert stay is not None
    assert (stay.epoch, stay.before, stay.since, stay.fingerprint) == (epoch.id, None, 10.0, OLD)
    assert store.compare("shop", "a") is None
    assert store.stay("shop", "b") is None


def test_replicas_with_one_fingerprint_share_an_epoch(store: Store) -> None:
    first, second = enter(store, OLD, 10.0), enter(store, OLD, 20.0, "b")
    assert second.id == first.id
    assert (second.first_seen, second.last_seen) == (10.0, 20.0)


def test_services_do_not_share_epochs(store: Store) -> None:
    assert enter(store, OLD, 10.0).id != enter(store, OLD, 10.0, service="mail").id


def test_old_and_new_side_by_side_are_two_epochs_and_no_upgrade(store: Store) -> None:
    for now in range(10, 100, 10):
        for target, mark in (("a", OLD), ("b", NEW), ("c", OLD), ("d", NEW)):
            fill(store, enter(store, mark, float(now), target), 5)
    assert [epoch.fingerprint for epoch in store.epochs("shop")] == [OLD, NEW]
    assert [store.compare("shop", target) for target in "abcd"] == [None] * 4


def test_a_first_sight_joins_the_epoch_that_agrees_also_an_earlier_one(store: Store) -> None:
    old = enter(store, OLD, 10.0)
    enter(store, NEW, 20.0)
    assert enter(store, OLD, 30.0, "b").id == old.id
    assert store.compare("shop", "b") is None


def test_a_process_of_which_little_is_known_joins_the_epoch_seen_last(store: Store) -> None:
    enter(store, OLD, 10.0, "a")
    new = enter(store, NEW, 20.0, "b")
    assert enter(store, Fingerprint(go="go1.24.0+"), 30.0, "c").id == new.id


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_first_sight_that_is_known_better_later_joins_the_epoch_of_its_replicas(store: Store, order: str) -> None:
    marks = {"a": OLD, "b": NEW}
    ids = {target: enter(store, marks[target], float(now), target).id for now, target in enumerate(order, 10)}
    for target in "cd":
        enter(store, Fingerprint(go="go1.24.1"), 30.0, target)
    assert store.enter("shop", "c", OLD, 40.0).id == ids["a"]
    assert store.enter("shop", "d", NEW, 40.0).id == ids["b"]
    assert (compared(store, "c"), compared(store, "d")) == (None, None)


def test_unknown_parts_open_no_epoch_and_are_filled_in(store: Store) -> None:
    first = enter(store, Fingerprint(go="go1.24.0+"), 10.0)
    assert enter(store, Fingerprint(), 11.0).id == first.id
    known = enter(store, OLD, 12.0)
    assert (known.id, known.fingerprint) == (first.id, OLD)
    assert enter(store, Fingerprint(go="go1.24.0+"), 13.0).fingerprint == OLD
    assert enter(store, Fingerprint(system="windows 2"), 14.0).id != first.id


# Upgrades.


def test_an_upgrade_begins_an_epoch_once(store: Store) -> None:
    old = enter(store, OLD, 10.0)
    new = store.enter("shop", "a", NEW, 100.0, moved=True, since=50.0)
    assert (new.before, new.first_seen) == (old.id, 100.0)
    assert enter(store, NEW, 120.0).id == new.id
    stay = store.stay("shop", "a")
    assert stay is not None
    assert (stay.epoch, stay.before, stay.since, stay.fingerprint) == (new.id, old.id, 50.0, NEW)


def test_of_two_replicas_only_the_upgraded_one_has_a_comparison(store: Store) -> None:
    old = enter(store, OLD, 10.0, "a")
    enter(store, OLD, 10.0, "b")
    fill(store, old, 20)
    new = enter(store, NEW, 20.0, "b")
    fill(store, new, 20, 0.5)
    assert compared(store, "a") is None
    assert compared(store, "b") == (old.id, new.id)
    assert enter(store, OLD, 30.0, "a").id == old.id


def test_a_fleet_that_upgrades_in_steps_shares_two_epochs(store: Store) -> None:
    targets = [f"replica {number}" for number in range(20)]
    old = {enter(store, OLD, 10.0, target).id for target in targets}
    new = set()
    for step in range(20):
        new |= {enter(store, NEW, 100.0 + step, target).id for target in targets[: step + 1]}
        old |= {enter(store, OLD, 100.0 + step, target).id for target in targets[step + 1 :]}
    assert (len(old), len(new), len(store.epochs("shop"))) == (1, 1, 2)
    assert {compared(store, target) for target in targets} == {(*old, *new)}
    stays = [store.stay("shop", target) for target in targets]
    assert [stay.since for stay in stays if stay] == [100.0 + step for step in range(20)]


@pytest.mark.parametrize("first", ["stable", "canary"])
def test_stable_replicas_follow_the_canary_into_its_epoch(store: Store, first: str) -> None:
    seen = ["stable", "canary"] if first == "stable" else ["canary", "stable"]
    ids = {
        target: enter(store, NEW if target == "canary" else OLD, float(now), target).id
        for now, target in enumerate(seen)
    }
    for target in seen:
        enter(store, NEW if target == "canary" else OLD, 50.0, target)
    assert enter(store, NEW, 60.0, "stable").id == ids["canary"]
    assert compared(store, "stable") == (ids["stable"], ids["canary"])
    assert compared(store, "canary") is None


def test_a_part_that_is_known_late_belongs_to_the_same_upgrade(store: Store) -> None:
    old = enter(store, OLD, 10.0, "a")
    enter(store, OLD, 10.0, "b")
    other = store.enter("shop", "b", Fingerprint("windows 2", "", "go1.25.0", ""), 20.0, moved=True)
    assert store.enter("shop", "a", Fingerprint("windows 2", "", "go1.25.0", ""), 21.0, moved=True).id == other.id
    assert store.enter("shop", "b", Fingerprint("windows 2", "build 3", "go1.25.0", ""), 22.0).id == other.id
    own = store.enter("shop", "a", NEWER, 30.0)
    assert own.id not in (old.id, other.id)
    assert compared(store, "a") == (old.id, own.id)
    stay = store.stay("shop", "a")
    assert stay is not None
    assert stay.since == 21.0


def test_a_lower_bound_above_the_earlier_version_is_an_upgrade_once(store: Store) -> None:
    old = enter(store, Fingerprint(binary="build 1", go="go1.21.3"), 10.0)
    new = enter(store, Fingerprint(binary="build 1", go="go1.24.0+"), 20.0)
    for now in range(30, 100, 10):
        assert enter(store, Fingerprint(binary="build 1", go="go1.24.0+"), float(now)).id == new.id
    assert enter(store, Fingerprint(binary="build 1", go="go1.26.2"), 100.0).id == new.id
    assert (len(store.epochs("shop")), compared(store, "a")) == (2, (old.id, new.id))


def test_epochs_that_begin_at_one_time_are_told_apart(store: Store) -> None:
    old = enter(store, OLD, 10.0, "a")
    enter(store, OLD, 10.0, "b")
    new = enter(store, NEW, 10.0, "a")
    assert enter(store, NEW, 10.0, "b").id == new.id
    back = enter(store, OLD, 10.0, "a")
    assert back.id not in (old.id, new.id)
    assert enter(store, OLD, 10.0, "b").id == back.id
    assert [epoch.id for epoch in store.epochs("shop")] == [old.id, new.id, back.id]


def test_a_clock_that_is_set_back_changes_nothing_of_that(store: Store) -> None:
    old = enter(store, OLD, 365 * DAY, "a")
    enter(store, OLD, 365 * DAY, "b")
    new = enter(store, NEW, 1 * DAY, "a")
    assert enter(store, NEW, 1 * DAY + 30, "a").id == new.id
    assert enter(store, NEW, 1 * DAY + 60, "b").id == new.id
    back = enter(store, OLD, 1 * DAY + 90, "a")
    assert back.id not in (old.id, new.id)
    assert enter(store, OLD, 1 * DAY + 120, "b").id == back.id


# Rollbacks.


def test_a_rollback_begins_a_third_epoch_with_what_was_observed_since(store: Store) -> None:
    old = enter(store, OLD, 0.0)
    fill(store, old, 100, 0.1)
    new = enter(store, NEW, 10.0)
    fill(store, new, 50, 0.5)
    back = enter(store, OLD, 20.0)
    fill(store, back, 30, 0.2)
    assert (back.fingerprint, back.before, len(store.epochs("shop"))) == (OLD, new.id, 3)
    found = store.compare("shop", "a")
    assert found is not None
    assert (found.before, found.now.id, found.since) == (store.epochs("shop")[1], back.id, 20.0)
    before, now = found.signals["latency"]
    assert (before.count, now.count) == (50, 30)
    assert now.p50 == pytest.approx(0.2, rel=0.01)


def test_a_quick_rollback_is_compared_with_the_older_stay(store: Store) -> None:
    old = enter(store, OLD, 0.0)
    fill(store, old, 100)
    quick = enter(store, NEW, 10.0)
    fill(store, quick, 3)
    back = enter(store, OLD, 20.0)
    fill(store, back, 30)
    assert compared(store, "a") == (old.id, back.id)
    stay = store.stay("shop", "a")
    assert stay is not None
    assert stay.before == quick.id


def test_without_an_epoch_of_enough_values_the_one_before_counts(store: Store) -> None:
    fill(store, enter(store, OLD, 0.0), 3)
    middle = enter(store, NEW, 10.0)
    back = enter(store, OLD, 20.0)
    assert compared(store, "a") == (middle.id, back.id)


def test_a_fleet_that_rolls_back_shares_the_third_epoch_apart_from_those_that_never_left(store: Store) -> None:
    old = [enter(store, OLD, 0.0, target) for target in "abcd"][-1]
    new = [enter(store, NEW, 10.0, target) for target in "abc"][-1]
    back = {enter(store, OLD, 20.0 + step, target).id for step, target in enumerate("ab")}
    assert len(back) == 1
    assert not back & {old.id, new.id}
    assert enter(store, OLD, 30.0, "d").id == old.id
    assert enter(store, NEW, 30.0, "c").id == new.id
    # The next upgrade to the same build is another one, for all who make it.
    again = {enter(store, NEW, 40.0, target).id for target in "abd"}
    assert len(again) == 1
    assert new.id not in again
    assert compared(store, "d") == (old.id, *again)
    assert compared(store, "a") == (*back, *again)


def test_many_returns_are_as_many_epochs(store: Store) -> None:
    ids = [enter(store, (OLD, NEW)[turn % 2], 10.0 * turn).id for turn in range(20)]
    assert len(set(ids)) == 20


def test_epochs_that_follow_each_other_in_a_circle_are_not_compared_with_themselves(path: Path) -> None:
    one, two = Store.open(path, 0.0), Store.open(path, 0.0)
    for store, marks in ((one, (OLD, NEW)), (two, (NEW, OLD))):
        for now, mark in enumerate(marks):
            enter(store, mark, float(now))
    for _ in range(2):
        assert one.flush(10.0)
        assert two.flush(10.0)
    first, second = two.epochs("shop")
    assert (first.before, second.before) == (second.id, first.id)
    for store in (one, two):
        stay = store.stay("shop", "a")
        assert stay is not None
        assert stay.before is not None
        fill(store, next(epoch for epoch in store.epochs("shop") if epoch.id == stay.epoch), 20)
        assert compared(store, "a") == (stay.before, stay.epoch)


# Signals.


def test_comparing_shows_the_signals_that_both_epochs_have(store: Store) -> None:
    old, new = enter(store, OLD, 0.0), enter(store, NEW, 10.0)
    for step in range(100):
        store.observe(old.id, "latency", 0.1)
        store.observe(new.id, "latency", 0.1 * (step + 1))
    store.observe(old.id, "gone", 1.0)
    found = store.compare("shop", "a")
    assert found is not None
    assert (found.before, found.now, found.since, found.control) == (old, new, 10.0, {})
    assert set(found.signals) == {"latency"}
    before, now = found.signals["latency"]
    assert before.p95 == pytest.approx(0.1, rel=0.01)
    assert now.p95 == pytest.approx(9.5, rel=0.01)
    assert now.count == 100
    assert now.max == pytest.approx(10)


def test_what_is_observed_is_seen_at_once_and_after_a_flush_once(store: Store) -> None:
    epoch = enter(store, OLD, 0.0)
    for now in range(1, 4):
        store.observe(epoch.id, "latency", float(now))
        assert store.summaries(epoch.id)["latency"].count == now
        store.flush(float(now))
        assert store.summaries(epoch.id)["latency"].count == now
        assert store.summaries(epoch.id)["latency"].max == now


def test_what_is_no_number_and_what_has_no_epoch_is_passed_over(store: Store) -> None:
    epoch = enter(store, OLD, 0.0)
    store.observe(epoch.id, "latency", float("nan"))
    store.observe(epoch.id + 1, "latency", 1.0)
    assert store.summaries(epoch.id) == store.summaries(epoch.id + 1) == {}


def test_a_comparison_has_the_control_of_its_latencies(store: Store) -> None:
    signal = "fetch_duration_seconds:heap"
    enter(store, OLD, 0.0)
    for now in range(0, 1200, 10):
        if now == 600:
            store.control.upgraded("a", 600.0)
            enter(store, NEW, 600.0)
        slow = 2.0 if now >= 600 else 1.0
        stay = store.stay("shop", "a")
        assert stay is not None
        for name in (signal, "goroutines"):
            store.observe(stay.epoch, name, slow)
            for target in "bcd":
                store.control.observe(target, name, 0.1 * slow, float(now))
    found = store.compare("shop", "a")
    assert found is not None
    assert set(found.signals) == {signal, "goroutines"}
    assert found.control == {signal: pytest.approx(2.0)}
