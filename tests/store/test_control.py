"""The control group says how much latencies changed on targets that were not upgraded, and else nothing."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterable

import pytest

from pprof_exporter.store.control import MIN_TARGETS, ControlGroup, is_latency

SIGNAL = "fetch_duration_seconds:heap"
UPGRADE = 3_000.0
END = 6_000.0


def names(number: int) -> list[str]:
    return [f"target {one}" for one in range(number)]


def run(
    group: ControlGroup,
    targets: Iterable[str],
    latency: Callable[[str, float], float],
    upgrades: dict[str, float] | None = None,
    times: tuple[float, float] = (0.0, END),
) -> None:
    """Observe all targets every 30 s; each has a level of its own, and noise."""
    noise = random.Random(1)
    waiting = dict(upgrades or {})
    levels = {target: 0.01 * (1 + number) for number, target in enumerate(targets)}
    for step in range(int((times[1] - times[0]) // 30)):
        now = times[0] + 30 * step
        for target, level in levels.items():
            if waiting.get(target, now + 1) <= now:
                group.upgraded(target, waiting.pop(target))
            group.observe(target, SIGNAL, level * noise.uniform(0.9, 1.1) * latency(target, now), now)


@pytest.mark.parametrize("slow", [0.25, 1.0, 3.0])
def test_a_host_that_is_slowed_for_all_shows_the_factor(slow: float) -> None:
    group = ControlGroup()
    run(group, names(30), lambda _, now: slow if now >= UPGRADE else 1.0, dict.fromkeys(names(3), UPGRADE))
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(slow, rel=0.1)


def test_what_only_the_upgraded_targets_show_is_no_change() -> None:
    group = ControlGroup()
    upgraded = dict.fromkeys(names(3), UPGRADE)
    run(group, names(30), lambda target, now: 5.0 if target in upgraded and now >= UPGRADE else 1.0, upgraded)
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(1.0, rel=0.1)


def test_the_few_that_are_left_count_when_nearly_all_are_upgraded() -> None:
    group = ControlGroup()
    run(group, names(30), lambda _, now: 3.0 if now >= UPGRADE else 1.0, dict.fromkeys(names(27), UPGRADE))
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("control", [0, 1, 2, 3])
def test_fewer_than_three_targets_are_no_control(control: int) -> None:
    group = ControlGroup()
    run(group, names(4 + control), lambda *_: 1.0, dict.fromkeys(names(4), UPGRADE))
    assert (group.change_since(SIGNAL, UPGRADE) is None) == (control < MIN_TARGETS)


def test_targets_that_are_upgraded_at_different_times_have_a_control_each() -> None:
    group = ControlGroup()
    # The host is slowed between the two upgrades; most of the time before the second it was not, as in its epoch.
    upgrades = {"target 0": 2_000.0, "target 1": 4_000.0}
    run(group, names(10), lambda _, now: 4.0 if now >= 3_000.0 else 1.0, upgrades)
    assert group.change_since(SIGNAL, 4_000.0) == pytest.approx(4.0, rel=0.1)
    assert group.change_since(SIGNAL, 2_000.0) == pytest.approx(4.0, rel=0.1)


def test_a_host_that_is_slow_after_an_upgrade_is_no_effect_of_the_next_one() -> None:
    group = ControlGroup()
    upgrades = {"target 0": 1_000.0, "target 1": 5_000.0}
    run(group, names(10), lambda _, now: 4.0 if now >= 1_000.0 else 1.0, upgrades)
    assert group.change_since(SIGNAL, 1_000.0) == pytest.approx(4.0, rel=0.1)
    assert group.change_since(SIGNAL, 5_000.0) == pytest.approx(1.0, rel=0.15)


def test_upgrades_within_seconds_of_each_other_have_one_control() -> None:
    group = ControlGroup()
    upgrades = {target: UPGRADE + number for number, target in enumerate(names(4))}
    run(group, names(20), lambda _, now: 2.0 if now >= UPGRADE else 1.0, upgrades)
    for at in upgrades.values():
        assert group.change_since(SIGNAL, at) == pytest.approx(2.0, rel=0.1)


def test_one_target_that_became_slow_by_itself_does_not_decide() -> None:
    group = ControlGroup()
    run(
        group,
        names(8),
        lambda target, now: 50.0 if target == "target 5" and now >= UPGRADE else 1.0,
        {"target 0": UPGRADE},
    )
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(1.0, rel=0.1)


def test_a_minority_of_slow_values_does_not_decide() -> None:
    group = ControlGroup()
    run(group, names(8), lambda _, now: 50.0 if now >= UPGRADE and now % 90 == 0 else 1.0, {"target 0": UPGRADE})
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(1.0, rel=0.1)


def test_there_is_no_control_before_there_are_values_of_both_times() -> None:
    group = ControlGroup()
    assert group.change_since(SIGNAL, UPGRADE) is None
    run(group, names(5), lambda *_: 1.0, times=(0.0, UPGRADE))
    assert group.change_since(SIGNAL, UPGRADE) is None
    group.upgraded("target 0", UPGRADE)
    assert group.change_since(SIGNAL, UPGRADE) is None
    run(group, names(5), lambda *_: 2.0, times=(UPGRADE, UPGRADE + 60))
    assert group.change_since(SIGNAL, UPGRADE) is None
    run(group, names(5), lambda *_: 2.0, times=(UPGRADE + 60, UPGRADE + 120))
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(2.0, rel=0.15)


def test_a_restart_of_a_target_that_was_not_upgraded_takes_it_out_of_the_control() -> None:
    group = ControlGroup()
    run(group, names(4), lambda *_: 1.0, {"target 0": UPGRADE})
    assert group.change_since(SIGNAL, UPGRADE) is not None
    group.upgraded("target 1", END)
    assert group.change_since(SIGNAL, UPGRADE) is None


def test_targets_that_come_and_go_are_no_control_for_times_they_did_not_see() -> None:
    group = ControlGroup()
    stable, gone, come = names(3), ["gone 1", "gone 2"], ["come 1", "come 2"]
    run(group, [*stable, *gone, "new"], lambda *_: 1.0, times=(0.0, UPGRADE))
    group.upgraded("new", UPGRADE)
    run(group, [*stable, *come], lambda target, _: 100.0 if target in come else 2.0, times=(UPGRADE, END))
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(2.0, rel=0.1)
    group.upgraded(stable[0], END)
    assert group.change_since(SIGNAL, UPGRADE) is None


def test_values_near_zero_neither_count_as_a_base_nor_divide_by_it() -> None:
    group = ControlGroup()
    run(group, names(5), lambda *_: 0.0, {"target 0": UPGRADE})
    assert group.change_since(SIGNAL, UPGRADE) is None
    group = ControlGroup()
    run(group, names(5), lambda _, now: 0.0 if now >= UPGRADE else 1.0, {"target 0": UPGRADE})
    change = group.change_since(SIGNAL, UPGRADE)
    assert change is not None
    assert 0 < change < 0.02
    group = ControlGroup()
    run(group, names(5), lambda _, now: -1.0 if now >= UPGRADE else 1.0, {"target 0": UPGRADE})
    change = group.change_since(SIGNAL, UPGRADE)
    assert change is not None
    assert 0 < change < 0.02


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_what_is_no_latency_is_passed_over(value: float) -> None:
    group = ControlGroup()
    run(group, names(5), lambda *_: 1.0, {"target 0": UPGRADE})
    before = group.change_since(SIGNAL, UPGRADE)
    for target in names(5):
        group.observe(target, SIGNAL, value, END)
        group.observe(target, "goroutines", 1.0, END)
    assert group.change_since(SIGNAL, UPGRADE) == before
    assert group.change_since("goroutines", UPGRADE) is None
    assert not is_latency("goroutines")


def test_a_clock_that_is_set_back_by_a_year_begins_anew() -> None:
    group = ControlGroup()
    year = 365 * 86_400.0
    run(group, names(5), lambda *_: 1.0, times=(year, year + END))
    run(group, names(5), lambda _, now: 2.0 if now >= UPGRADE else 1.0, {"target 0": UPGRADE})
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(2.0, rel=0.1)


def test_a_clock_that_is_set_back_by_minutes_loses_nothing() -> None:
    group = ControlGroup()
    run(group, names(5), lambda *_: 1.0, times=(0.0, 3_000.0))
    run(group, names(5), lambda _, now: 2.0 if now >= UPGRADE else 1.0, {"target 0": UPGRADE}, times=(2_000.0, END))
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(2.0, rel=0.1)


def test_an_upgrade_of_yesterday_has_no_control_any_more() -> None:
    group = ControlGroup()
    run(group, names(5), lambda *_: 1.0, {"target 0": UPGRADE}, times=(0.0, END))
    run(group, names(5), lambda *_: 1.0, times=(END, END + 90_000.0))
    assert group.change_since(SIGNAL, UPGRADE) is None
    group.upgraded("target 1", END + 90_000.0)
    run(group, names(5), lambda *_: 1.0, times=(END + 90_000.0, END + 91_000.0))
    assert group.change_since(SIGNAL, END + 90_000.0) == pytest.approx(1.0, rel=0.1)


def size(thing: object) -> int:
    """Bytes of everything that is only reachable from here."""
    if isinstance(thing, dict):
        return sys.getsizeof(thing) + sum(size(one) for pair in thing.items() for one in pair)
    if isinstance(thing, list | tuple | set) or type(thing).__name__ == "deque":
        return sys.getsizeof(thing) + sum(map(size, thing))  # type: ignore[call-overload]
    slots = getattr(type(thing), "__slots__", ())
    return sys.getsizeof(thing) + sum(size(getattr(thing, name)) for name in slots if isinstance(slots, tuple))


def test_a_fleet_of_more_targets_than_are_watched_has_a_control() -> None:
    group = ControlGroup()
    upgraded = dict.fromkeys(names(20), UPGRADE)
    run(group, names(250), lambda _, now: 3.0 if now >= UPGRADE else 1.0, upgraded)
    assert group.change_since(SIGNAL, UPGRADE) == pytest.approx(3.0, rel=0.1)
    assert len(group._series) == len(group._seen) == 100


def test_targets_that_are_gone_make_room() -> None:
    group = ControlGroup()
    for generation in range(5):
        start = generation * 10_000.0
        run(group, [f"{generation} {one}" for one in range(100)], lambda *_: 1.0, times=(start, start + 120))
    assert all(target.startswith("4 ") for target in group._series)
    assert len(group._series) == len(group._seen) == 100


def test_a_full_group_is_searched_for_room_once_an_hour() -> None:
    searches: list[float] = []
    group = ControlGroup()
    run(group, names(100), lambda *_: 1.0, times=(0, 60))
    for second in range(0, 7200, 10):
        before = group._full_until
        group.observe("another", SIGNAL, 1.0, 60.0 + second)
        if group._full_until != before:
            searches.append(second)
        group.observe(names(100)[0], SIGNAL, 1.0, 60.0 + second)
    assert 1 <= len(searches) <= 3


def test_memory_is_bounded_whatever_is_upgraded() -> None:
    group = ControlGroup()
    now, sizes = 0.0, []
    for step in range(1, 3 * 1440):
        now += 60.0
        # One target restarts every minute for three days.
        group.upgraded("crashing", now)
        for target in names(5):
            for _ in range(2):
                group.observe(target, SIGNAL, 0.1, now)
        if step % 1440 == 0:
            sizes.append(size(group._series) + size(group._starts) + size(group._cache))
    assert len(group._starts) <= 450
    assert sizes[-1] < 1.5 * sizes[0]
    assert sizes[-1] < 100_000


def test_after_more_upgrades_than_slots_there_still_is_a_control() -> None:
    group = ControlGroup()
    noise = random.Random(2)
    for step in range(1000):
        now = 10.0 * step
        group.upgraded(f"fleet {step}", now)
        for target in names(5):
            group.observe(target, SIGNAL, noise.uniform(0.9, 1.1) * (2.0 if step >= 800 else 1.0), now)
    assert group.change_since(SIGNAL, 1_000.0) == pytest.approx(1.0, rel=0.1)
    assert group.change_since(SIGNAL, 8_000.0) == pytest.approx(2.0, rel=0.1)


def test_threads_may_observe_upgrade_and_ask_at_once() -> None:
    group = ControlGroup()
    errors: list[Exception] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for step in range(2_000):
                now = 10.0 * step
                group.observe(f"target {chance.randrange(150)}", SIGNAL, chance.uniform(0.1, 0.2), now)
                if step % 50 == 0:
                    group.upgraded(f"target {chance.randrange(150)}", now)
                    group.change_since(SIGNAL, now - 500)
        except Exception as error:  # noqa: BLE001 - any error fails the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(group._series) <= 100


def test_asking_again_soon_costs_no_second_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    group = ControlGroup()
    run(group, names(5), lambda *_: 1.0, {"target 0": UPGRADE})
    asked: list[str] = []
    compute = group._change

    def counted(signal: str, before: int, after: int) -> float | None:
        asked.append(signal)
        return compute(signal, before, after)

    monkeypatch.setattr(group, "_change", counted)
    first = group.change_since(SIGNAL, UPGRADE)
    assert group.change_since(SIGNAL, UPGRADE + 1) == first
    assert len(asked) == 1
    run(group, names(5), lambda *_: 1.0, times=(END, END + 120))
    group.change_since(SIGNAL, UPGRADE)
    assert len(asked) == 2
