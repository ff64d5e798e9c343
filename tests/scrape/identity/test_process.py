"""Which process a reply came from, restarts, and several processes behind one address."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from pprof_exporter.profile import GoVersion
from pprof_exporter.scrape.identity.process import ProcessEvidence, ProcessTracker, ReplyOrigin

ROUND = 30.0
NOW = 1_000_000.0


def started(at: float, start: float, **counters: float) -> ProcessEvidence:
    return ProcessEvidence(at, started={"page": start}, counters=counters)


def built(at: float, build: str) -> ProcessEvidence:
    return ProcessEvidence(at, build=build)


def counting(at: float, **counters: float) -> ProcessEvidence:
    return ProcessEvidence(at, counters=counters)


def feed(tracker: ProcessTracker, evidence: Iterable[ProcessEvidence]) -> list[ReplyOrigin]:
    return [tracker.take(one, one.at) for one in evidence]


@pytest.fixture
def tracker() -> ProcessTracker:
    return ProcessTracker(ROUND)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (started(NOW, 100.0), started(NOW + 30, NOW + 10)),
        (built(NOW, "a"), built(NOW + 30, "b")),
        (counting(NOW, records=100), counting(NOW + 30, records=99)),
        (counting(NOW, cpu=10.0, records=5), counting(NOW + 30, cpu=0.1)),
        (ProcessEvidence(NOW, go={"page": GoVersion(1, 27)}), ProcessEvidence(NOW + 30, go={"page": GoVersion(1, 21)})),
    ],
    ids=["start", "build", "counter", "one of several counters", "version"],
)
def test_each_of_these_proves_a_new_process(
    tracker: ProcessTracker, before: ProcessEvidence, after: ProcessEvidence
) -> None:
    assert feed(tracker, [before, before, after]) == [ReplyOrigin.SAME, ReplyOrigin.SAME, ReplyOrigin.NEW]
    assert tracker.began == NOW + 30


def test_a_restart_counts_once_it_is_confirmed_by_another_round(tracker: ProcessTracker) -> None:
    feed(tracker, [started(NOW, 1.0), started(NOW + 30, NOW + 20), started(NOW + 45, NOW + 20)])
    assert tracker.restarts == 0
    feed(tracker, [started(NOW + 60, NOW + 20)])
    assert tracker.restarts == 1


def test_a_reply_that_was_overtaken_by_another_is_no_restart(tracker: ProcessTracker) -> None:
    tracker.take(started(NOW, 1.0, cpu=3.0), NOW + 0.1)
    # Two requests of the metrics page are on their way at once, and the reply to the first comes last.
    assert tracker.take(started(NOW + 30.2, 1.0, cpu=4.1), NOW + 30.4) is ReplyOrigin.SAME
    assert tracker.take(started(NOW + 30.1, 1.0, cpu=4.0), NOW + 30.5) is ReplyOrigin.SAME
    # One that was requested afterwards proves a new process.
    assert tracker.take(counting(NOW + 30.4, cpu=4.0), NOW + 30.6) is ReplyOrigin.NEW


@pytest.mark.parametrize("shift", [-1.9, 0.0, 1.9])
def test_a_corrected_clock_moves_the_start_and_is_no_restart(tracker: ProcessTracker, shift: float) -> None:
    assert feed(tracker, [started(NOW, 100.0), started(NOW + 30, 100.0 + shift)])[1] is ReplyOrigin.SAME


def test_what_a_reply_lacks_proves_nothing(tracker: ProcessTracker) -> None:
    first = ProcessEvidence(NOW, {"page": 1.0}, "a", {"page": GoVersion(1, 27)}, counters={"records": 5})
    assert feed(tracker, [first, ProcessEvidence(NOW + 1)]) == [ReplyOrigin.SAME] * 2
    # Another source may tell another start, or the version of another program.
    other = ProcessEvidence(NOW + 2, {"system": 50.0}, "", {"system": GoVersion(1, 20)})
    assert tracker.take(other, NOW + 2) is ReplyOrigin.SAME


def test_a_reply_that_was_asked_of_the_process_before_is_stale(tracker: ProcessTracker) -> None:
    feed(tracker, [built(NOW, "a"), built(NOW + 40, "b")])
    # A CPU profile that began before the restart, and ended after the new process was seen.
    assert tracker.take(built(NOW + 38, "a"), NOW + 43) is ReplyOrigin.STALE
    assert not tracker.several
    assert tracker.take(built(NOW + 60, "b"), NOW + 60) is ReplyOrigin.SAME


def test_a_clock_that_is_set_back_makes_no_reply_stale_for_long(tracker: ProcessTracker) -> None:
    feed(tracker, [built(NOW, "a")])
    assert feed(tracker, [built(NOW - 3600, "a"), built(NOW - 3570, "b")]) == [ReplyOrigin.SAME, ReplyOrigin.NEW]


@pytest.mark.parametrize("every", [10.0, 30.0, 75.0])
def test_a_panic_loop_of_fifteen_restarts_counts_fifteen(tracker: ProcessTracker, every: float) -> None:
    feed(tracker, [started(NOW, 1.0)])
    for restart in range(1, 16):
        at = NOW + restart * every
        assert tracker.take(started(at, at - 3), at) is ReplyOrigin.NEW
    feed(tracker, [started(NOW + 16 * every + ROUND, NOW + 15 * every - 3)])
    assert tracker.restarts == 15
    assert tracker.restarts_since(NOW) == 15
    assert tracker.restarts_since(NOW + 11.5 * every) == 4
    assert not tracker.several


def test_a_panic_loop_without_start_times_counts_by_the_counters_that_fall(tracker: ProcessTracker) -> None:
    feed(tracker, [counting(NOW, records=500)])
    for restart in range(1, 16):
        at = NOW + restart * 60
        tracker.connection_lost(at - 10)
        assert tracker.take(counting(at, records=300), at) is ReplyOrigin.NEW
        tracker.take(counting(at + 30, records=500), at + 30)
    assert tracker.restarts == 15
    assert not tracker.several


def test_where_start_times_are_known_counters_do_not_make_several_processes(tracker: ProcessTracker) -> None:
    """The same values at the same ages in each life, as of a service that fails while it starts."""
    for life in range(30):
        for age, records in ((1, 500), (20, 300), (40, 500)):
            at = NOW + 60 * life + age
            tracker.take(counting(at, records=records), at)
            tracker.take(started(at, NOW + 60 * life), at)
    assert not tracker.several


@pytest.mark.parametrize("every", [7.0, 11.0, 33.0])
@pytest.mark.parametrize("build", ["", "target abc"], ids=["without a build", "with one"])
def test_a_panic_loop_whose_lives_are_all_alike_is_not_several_processes(
    tracker: ProcessTracker, build: str, every: float
) -> None:
    """Read at any phase of its lives, of which the system tells no start and no connection was lost."""
    life, chance = 20.0, random.Random(15)
    for reading in range(400):
        at = NOW + every * reading
        phase = (every * reading) % life
        counters = {"records": 10 + 10 * (phase // 5), "bytes": 1e6 * (1 + phase) * chance.uniform(0.99, 1.01)}
        tracker.take(ProcessEvidence(at, build=build, counters=counters), at)
    assert not tracker.several
    assert tracker.restarts >= 50


def turns(*evidence: tuple[str, float], count: int = 12) -> list[ProcessEvidence]:
    """Replies of replicas by turns, one each 5 s: `evidence` has a field and the value of each replica."""
    found = []
    for number in range(count):
        field, value = evidence[number % len(evidence)]
        at = NOW + 5 * number
        if field == "build":
            found.append(built(at, f"build {value}"))
        elif field == "start":
            found.append(started(at, value))
        else:
            found.append(counting(at, records=value + number))
    return found


@pytest.mark.parametrize(
    ("replicas", "within"),
    [
        ((("start", 100.0), ("start", 200.0)), 3),
        ((("start", 100.0), ("start", 100.4)), 6),
        ((("start", 100.0), ("start", 200.0), ("start", 300.0)), 4),
        ((("build", 1), ("build", 2)), 4),
        ((("records", 500.0), ("records", 300.0)), 10),
    ],
    ids=["two starts", "two starts in one second", "three starts", "two builds", "counters"],
)
def test_replicas_by_turns_are_several_processes(
    tracker: ProcessTracker, replicas: tuple[tuple[str, float], ...], within: int
) -> None:
    origins = feed(tracker, turns(*replicas))
    assert origins.index(ReplyOrigin.MIXED) < within
    assert set(origins[origins.index(ReplyOrigin.MIXED) :]) == {ReplyOrigin.MIXED}
    assert tracker.several
    assert tracker.restarts == 0


@pytest.mark.parametrize("switch", [1, 2, 4])
def test_replicas_whose_counters_grow_fast_are_no_restarts_while_that_is_unclear(
    tracker: ProcessTracker, switch: int
) -> None:
    """Young replicas: their counters grow too fast for anyone to say which of the two a value goes on from."""
    for number in range(40):
        base = 100.0 if number // switch % 2 else 1000.0
        at = NOW + 15 * number
        tracker.take(counting(at, records=base * 1.1**number), at)
    assert tracker.restarts == 0


def test_a_restart_that_nothing_but_a_counter_shows_counts_once_the_process_holds(tracker: ProcessTracker) -> None:
    feed(tracker, [counting(NOW, records=500), counting(NOW + 30, records=10), counting(NOW + 150, records=20)])
    assert tracker.restarts == 0
    feed(tracker, [counting(NOW + 180, records=30)])
    assert tracker.restarts == 1


def test_a_process_that_started_before_the_one_it_follows_counts_once_it_holds(tracker: ProcessTracker) -> None:
    """Another replica, to which an address was moved."""
    feed(tracker, [started(NOW, 200.0), started(NOW + 30, 100.0), started(NOW + 150, 100.0)])
    assert tracker.restarts == 0
    feed(tracker, [started(NOW + 180, 100.0)])
    assert tracker.restarts == 1


def test_a_start_time_that_comes_later_proves_what_a_counter_suggests(tracker: ProcessTracker) -> None:
    feed(tracker, [started(NOW, 1.0, records=500)])
    for restart in range(1, 16):
        at = NOW + 60 * restart
        assert tracker.take(counting(at, records=400), at) is ReplyOrigin.NEW
        feed(tracker, [started(at + 5, at - 3, records=500), started(at + 40, at - 3, records=500)])
    assert tracker.restarts == 15
    assert not tracker.several


def test_lives_that_are_shorter_than_it_takes_to_be_sure_count_later(tracker: ProcessTracker) -> None:
    chance = random.Random(15)
    for life in range(16):
        at = NOW + 50 * life
        records = chance.uniform(300, 500)
        feed(tracker, [counting(at, records=records / 10), counting(at + 20, records=records)])
    assert tracker.restarts == 0
    feed(tracker, [counting(NOW + 50 * 15 + 30 * ROUND, records=2000)])
    assert tracker.restarts == 15
    assert not tracker.several


def test_a_rollback_is_not_several_processes(tracker: ProcessTracker) -> None:
    feed(tracker, [built(NOW, "a"), built(NOW + 180, "b"), built(NOW + 360, "a"), built(NOW + 540, "a")])
    assert not tracker.several
    assert tracker.restarts == 2


def test_after_ten_rounds_without_a_contradiction_one_process_is_left(tracker: ProcessTracker) -> None:
    feed(tracker, turns(("start", 100.0), ("start", 200.0)))
    last = NOW + 5 * 11
    origins = feed(tracker, [started(last + 30 * number, 200.0) for number in range(1, 14)])
    assert origins.index(ReplyOrigin.NEW) == 10
    assert not tracker.several
    assert tracker.restarts == 0


def test_a_build_that_was_replaced_on_disk_is_doubted_until_the_start_time_is_known(tracker: ProcessTracker) -> None:
    feed(tracker, [started(NOW, 100.0), built(NOW + 1, "old")])
    replaced = built(NOW + 30, "new")
    assert tracker.doubts(replaced)
    tracker.excuse(replaced)
    assert feed(tracker, [replaced, built(NOW + 60, "new")]) == [ReplyOrigin.SAME] * 2
    assert not tracker.doubts(replaced)


def bounded(at: float, bound: GoVersion) -> ProcessEvidence:
    return ProcessEvidence(at, go_at_least=bound)


def paged(at: float, version: GoVersion) -> ProcessEvidence:
    return ProcessEvidence(at, go={"page": version})


def test_a_version_that_is_too_old_for_the_program_is_that_of_the_process_before(tracker: ProcessTracker) -> None:
    new = bounded(NOW + 30, GoVersion(1, 26))
    assert feed(tracker, [paged(NOW, GoVersion(1, 24, 11)), new])[1] is ReplyOrigin.NEW
    assert tracker.take(paged(NOW + 31, GoVersion(1, 27, 3)), NOW + 31) is ReplyOrigin.SAME


def test_a_downgrade_is_a_new_process(tracker: ProcessTracker) -> None:
    feed(tracker, [bounded(NOW, GoVersion(1, 26)), paged(NOW, GoVersion(1, 27))])
    assert tracker.take(paged(NOW + 30, GoVersion(1, 21)), NOW + 30) is ReplyOrigin.NEW


@pytest.mark.parametrize("start", [{}, {"page": 1.0}], ids=["without a start time", "with one"])
def test_a_page_of_another_program_does_not_make_a_new_process_each_time(
    tracker: ProcessTracker, start: dict[str, float]
) -> None:
    origins = []
    for step in range(20):
        at = NOW + 30 * step
        for one in (ProcessEvidence(at, start, go={"page": GoVersion(1, 20)}), bounded(at + 1, GoVersion(1, 26))):
            if tracker.doubts(one):
                tracker.excuse(one)
            origins.append(tracker.take(one, one.at))
    assert origins.count(ReplyOrigin.NEW) == (0 if start else 1)
    assert not tracker.several


def test_without_a_start_time_another_build_is_another_process(tracker: ProcessTracker) -> None:
    feed(tracker, [built(NOW, "old")])
    assert not tracker.doubts(built(NOW + 30, "new"))
    assert tracker.take(built(NOW + 30, "new"), NOW + 30) is ReplyOrigin.NEW
