"""Which epoch a process is in: one for each fingerprint of a service, over replicas, rollbacks and restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.store import Change, EpochRetention, Fingerprint, Store, changed_parts

OLD = Fingerprint("windows 1", "build 1", "go1.24", "none")
NEW = Fingerprint("windows 2", "build 1", "go1.24", "none")
NEWER = Fingerprint("windows 2", "build 2", "go1.25", "none")
DAY = 86400.0


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """What holds for epochs holds in memory, and with a file."""
    return Store.open(None if request.param == "memory" else tmp_path / "history.db", 0.0)


def test_only_parts_that_both_sides_know_can_change() -> None:
    assert changed_parts(OLD, NEWER) == (Change.OPERATING_SYSTEM, Change.BINARY, Change.GO)
    assert changed_parts(OLD, Fingerprint("", "build 1", "", "antivirus")) == (Change.MODULES,)
    assert changed_parts(Fingerprint(), NEW) == ()


def test_the_first_epoch_of_a_service_follows_none(store: Store) -> None:
    entered = store.enter("shop", OLD, 10.0)
    assert (entered.began, entered.before, entered.changes) == (True, None, ())
    assert (entered.epoch.first_seen, entered.epoch.last_seen, entered.epoch.entered) == (10.0, 10.0, 10.0)
    assert store.compare("shop") is None


def test_replicas_with_one_fingerprint_share_an_epoch(store: Store) -> None:
    first, second = store.enter("shop", OLD, 10.0), store.enter("shop", OLD, 20.0)
    assert second.epoch.id == first.epoch.id
    assert (second.epoch.first_seen, second.epoch.last_seen, second.began) == (10.0, 20.0, False)


def test_services_do_not_share_epochs(store: Store) -> None:
    assert store.enter("shop", OLD, 10.0).epoch.id != store.enter("mail", OLD, 10.0).epoch.id


def test_a_new_fingerprint_begins_an_epoch_once_and_says_what_changed(store: Store) -> None:
    old = store.enter("shop", OLD, 10.0).epoch
    entered = store.enter("shop", NEW, 20.0)
    assert entered.began
    assert entered.before == old
    assert entered.changes == (Change.OPERATING_SYSTEM,)
    again = store.enter("shop", NEW, 30.0)
    assert (again.began, again.before, again.changes) == (False, old, (Change.OPERATING_SYSTEM,))


def test_unknown_parts_open_no_epoch_and_are_filled_in(store: Store) -> None:
    first = store.enter("shop", Fingerprint(go="go1.24"), 10.0)
    assert store.enter("shop", Fingerprint(), 11.0).epoch.id == first.epoch.id
    known = store.enter("shop", OLD, 12.0)
    assert (known.epoch.id, known.epoch.fingerprint, known.began) == (first.epoch.id, OLD, False)
    assert store.enter("shop", Fingerprint(system="windows 2"), 13.0).epoch.id != first.epoch.id


def test_a_process_of_which_little_is_known_counts_to_the_epoch_seen_last(store: Store) -> None:
    store.enter("shop", OLD, 10.0)
    new = store.enter("shop", NEW, 20.0).epoch
    assert store.enter("shop", Fingerprint(go="go1.24"), 30.0).epoch.id == new.id


def test_a_fingerprint_that_comes_back_returns_to_its_epoch(store: Store) -> None:
    old = store.enter("shop", OLD, 0.0).epoch
    new = store.enter("shop", NEW, 10.0).epoch
    for now in range(20, int(DAY) + 1, 60):
        store.enter("shop", NEW, float(now))
    back = store.enter("shop", OLD, DAY + 10)
    assert back.epoch.id == old.id
    assert back.began
    assert back.before is not None
    assert back.before.id == new.id
    assert (back.epoch.first_seen, back.epoch.entered) == (0.0, DAY + 10)
    assert not store.enter("shop", OLD, DAY + 20).began
    assert store.current("shop") == store.enter("shop", OLD, DAY + 20).epoch


def test_a_quick_rollback_is_told_when_the_new_epoch_has_been_gone_for_a_while(store: Store) -> None:
    old = store.enter("shop", OLD, 0.0).epoch
    new = store.enter("shop", NEW, 10.0).epoch
    began = [now for now in range(20, 1000, 30) if store.enter("shop", OLD, float(now)).began]
    assert len(began) == 1
    assert 300 < began[0] - 10 <= 340
    current = store.current("shop")
    assert current is not None
    assert current.id == old.id
    assert store.previous(current) == new


def test_a_release_by_steps_is_one_upgrade_however_long_both_are_seen(store: Store) -> None:
    old = store.enter("shop", OLD, 0.0).epoch
    new = store.enter("shop", NEW, 10.0).epoch
    for now in range(20, 5000, 30):
        assert not store.enter("shop", OLD, float(now)).began
        assert not store.enter("shop", NEW, float(now)).began
    current = store.current("shop")
    assert current is not None
    assert current.id == new.id
    before = store.previous(current)
    assert before is not None
    assert before.id == old.id


def test_a_stop_of_the_exporter_is_no_upgrade(store: Store) -> None:
    store.enter("shop", OLD, 0.0)
    for now in range(10, 100, 10):
        store.enter("shop", OLD, float(now))
        store.enter("shop", NEW, float(now))
    assert not store.enter("shop", OLD, 5 * DAY).began
    assert not store.enter("shop", NEW, 5 * DAY).began


def test_a_clock_that_is_set_back_neither_repeats_an_upgrade_nor_turns_it_round(store: Store) -> None:
    store.enter("shop", OLD, 365 * DAY)
    new = store.enter("shop", NEW, 1 * DAY)
    assert new.began
    assert not store.enter("shop", NEW, 1 * DAY + 30).began
    assert store.current("shop") == store.enter("shop", NEW, 1 * DAY + 60).epoch


def test_comparing_shows_the_signals_that_both_epochs_have(store: Store) -> None:
    old, new = store.enter("shop", OLD, 0.0).epoch, store.enter("shop", NEW, 10.0).epoch
    for step in range(100):
        store.observe(old.id, "latency", 0.1)
        store.observe(new.id, "latency", 0.1 * (step + 1))
    store.observe(old.id, "gone", 1.0)
    found = store.compare("shop")
    assert found is not None
    before, now, signals = found
    assert (before, now) == (old, new)
    assert set(signals) == {"latency"}
    assert signals["latency"][0].p95 == pytest.approx(0.1, rel=0.01)
    assert signals["latency"][1].p95 == pytest.approx(9.5, rel=0.01)
    assert signals["latency"][1].count == 100
    assert signals["latency"][1].max == pytest.approx(10)


def test_what_is_observed_is_seen_at_once_and_after_a_flush_once(store: Store) -> None:
    epoch = store.enter("shop", OLD, 0.0).epoch
    for now in range(1, 4):
        store.observe(epoch.id, "latency", 1.0)
        assert store.summaries(epoch.id)["latency"].count == now
        store.flush(float(now))
        assert store.summaries(epoch.id)["latency"].count == now


def test_what_is_no_number_and_what_has_no_epoch_is_passed_over(store: Store) -> None:
    epoch = store.enter("shop", OLD, 0.0).epoch
    store.observe(epoch.id, "latency", float("nan"))
    store.observe(epoch.id + 1, "latency", 1.0)
    assert store.summaries(epoch.id) == store.summaries(epoch.id + 1) == {}


def fill(store: Store, count: int) -> list[int]:
    """Epochs of one day each, with one observation, and a service that nobody has seen since the first day."""
    ids = [store.enter("gone", OLD, 0.0).epoch.id]
    for day in range(count):
        epoch = store.enter("shop", Fingerprint(binary=f"build {day}"), day * DAY).epoch
        store.observe(epoch.id, "latency", 1.0)
        ids.append(epoch.id)
    store.flush(count * DAY)
    return ids


def test_age_removes_all_but_the_last_epochs_of_each_service(store: Store) -> None:
    gone, *ids = fill(store, 10)
    assert store.expire(10 * DAY, EpochRetention(epochs=2, age=5.5 * DAY)) == 5
    assert [bool(store.summaries(own)) for own in ids] == [False] * 5 + [True] * 5
    assert store.expire(100 * DAY, EpochRetention(epochs=2, age=5.5 * DAY)) == 3
    assert [bool(store.summaries(own)) for own in ids] == [False] * 8 + [True] * 2
    assert not store.enter("gone", OLD, 100 * DAY).began
    assert store.enter("gone", OLD, 100 * DAY).epoch.id == gone


def test_an_epoch_whose_predecessor_was_removed_follows_none(store: Store) -> None:
    fill(store, 3)
    store.expire(1000 * DAY, EpochRetention(epochs=1, age=DAY))
    current = store.current("shop")
    assert current is not None
    assert store.previous(current) is None
    assert store.compare("shop") is None


def test_size_removes_the_epochs_that_were_not_seen_for_longest() -> None:
    store = Store.open(None, 0.0)
    gone, *ids = fill(store, 10)
    store.expire(10 * DAY, EpochRetention(epochs=10, age=1000 * DAY, size=200))
    kept = [bool(store.summaries(own)) for own in ids]
    assert kept == sorted(kept)
    assert any(kept)
    assert not all(kept)
    assert store.enter("gone", OLD, 10 * DAY).epoch.id != gone
