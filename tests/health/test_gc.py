"""Each pause is told exactly once, however the fetches fall, and samples of the collector are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health.gc import GcPause, new_pauses, pauses_within, unseen_collections
from pprof_exporter.profile import Sample, ValueType, decode
from pprof_exporter.profile.aggregate import value_with_frame
from pprof_exporter.profile.function_names.traits import Trait
from pprof_exporter.profile.memstats import PAUSE_RING, MemStats, read_memstats
from tests.profile.changed import Parts, called

RECORDINGS = Path(__file__).parents[1] / "recordings"
PROGRAMS = sorted(folder.parent.name for folder in RECORDINGS.glob("*-go1.*/heap_debug1.txt"))
BOOT = 1_795_470_000 * 10**9
SECOND = 10**9


def stats(num_gc: int, *, boot: int = BOOT) -> MemStats:
    """What Go would say after `num_gc` collections, one a second, the n-th with a pause of n microseconds."""
    pause_ns, pause_end = [0] * PAUSE_RING, [0] * PAUSE_RING
    for collection in range(max(0, num_gc - PAUSE_RING), num_gc):
        pause_ns[collection % PAUSE_RING] = (collection + 1) * 1000
        pause_end[collection % PAUSE_RING] = boot + (collection + 1) * SECOND
    return replace(
        read_memstats((RECORDINGS / "linux-go1.27.3" / "heap_debug1.txt").read_bytes()),
        num_gc=num_gc,
        last_gc=max(pause_end) / SECOND or None,
        pause_ns=tuple(pause_ns),
        pause_end=tuple(pause_end),
    )


def pause(number: int, *, boot: int = BOOT) -> GcPause:
    return GcPause(number * 1000 / SECOND, (boot + number * SECOND) / SECOND)


def test_the_first_reply_gives_what_the_ring_holds() -> None:
    assert new_pauses(None, stats(0)) == ()
    assert new_pauses(None, stats(3)) == (pause(1), pause(2), pause(3))
    assert new_pauses(None, stats(PAUSE_RING)) == tuple(map(pause, range(1, PAUSE_RING + 1)))
    assert new_pauses(None, stats(1000)) == tuple(map(pause, range(1000 - PAUSE_RING + 1, 1001)))
    assert unseen_collections(None, stats(1000)) == 1000 - PAUSE_RING


def test_the_same_reply_again_gives_nothing() -> None:
    assert new_pauses(stats(300), stats(300)) == ()
    assert unseen_collections(stats(300), stats(300)) == 0


def test_more_collections_than_the_ring_holds_are_counted_as_unseen() -> None:
    assert unseen_collections(stats(10), stats(10 + PAUSE_RING)) == 0
    assert len(new_pauses(stats(10), stats(10 + PAUSE_RING))) == PAUSE_RING
    assert unseen_collections(stats(10), stats(10 + PAUSE_RING + 7)) == 7
    assert new_pauses(stats(10), stats(10 + PAUSE_RING + 7))[0] == pause(18)


@pytest.mark.parametrize("collections", [0, 3, 9, 10, 11, 200])
def test_a_restart_begins_anew(collections: int) -> None:
    later = BOOT + 500 * SECOND
    told = new_pauses(stats(10), stats(collections, boot=later))
    assert told == tuple(pause(number, boot=later) for number in range(1, collections + 1))


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=12))
def test_each_pause_is_told_once_or_counted_as_unseen(fetches: list[tuple[int, bool]]) -> None:
    before, boot, done = None, BOOT, 0
    told: list[GcPause] = []
    passed = unseen = 0
    for collections, restarted in fetches:
        if restarted:
            boot, done = boot + 10_000 * SECOND, 0
        done += collections
        passed += collections
        after = stats(done, boot=boot)
        told += new_pauses(before, after)
        unseen += unseen_collections(before, after)
        # A restart shows only once there are pauses to compare, or fewer of them.
        if restarted and before is not None and done >= before.num_gc + PAUSE_RING:
            unseen += before.num_gc
        before = after
    assert len(told) == len(set(told))
    assert len(told) + unseen == passed
    assert told == sorted(told, key=lambda pause: pause.end)


@pytest.mark.parametrize("program", PROGRAMS)
def test_between_two_recorded_replies_each_collection_is_one_pause(program: str) -> None:
    before = read_memstats((RECORDINGS / program / "heap_debug1.txt").read_bytes())
    after = read_memstats((RECORDINGS / program / "heap_retained_debug1.txt").read_bytes())
    pauses = new_pauses(before, after)
    assert len(pauses) == after.num_gc - before.num_gc > 0
    assert all(0 < pause.seconds < 0.1 for pause in pauses)
    assert before.last_gc is not None
    assert all(before.last_gc < pause.end for pause in pauses)
    assert pauses[-1].end == after.last_gc


def test_pauses_are_within_a_window_by_their_end() -> None:
    pauses = [GcPause(0.001, 9.9), GcPause(0.5, 10.0), GcPause(0.001, 14.9), GcPause(0.001, 15.0)]
    assert pauses_within(pauses, 10, 15) == (pauses[1], pauses[2])
    assert pauses_within(pauses, 15, 20) == (pauses[3],)


@pytest.mark.parametrize(
    ("names", "collects"),
    [
        (["runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker.func2", "runtime.systemstack"], True),
        (["runtime.futex", "runtime.stopTheWorldWithSema", "runtime.gcMarkDone.func2", "runtime.systemstack"], True),
        (["runtime.gcAssistAlloc1", "runtime.mallocgc", "main.work"], True),
        (["runtime.sweepone", "runtime.bgsweep"], True),
        (["runtime.sysUnused", "runtime.bgscavenge"], True),
        (["runtime.checkIdleGCNoP", "runtime.findRunnable", "runtime.schedule"], False),
        (["main.gcDrain", "main.main"], False),
        ([], False),
    ],
)
def test_samples_of_the_collector_are_told_by_any_frame(names: list[str], *, collects: bool) -> None:
    locations = called(["main.main", *names])
    samples = (Sample(tuple(range(2, len(names) + 2)), (3, 30), ()), Sample((1,), (7, 70), ()))
    kinds = (ValueType("samples", "count"), ValueType("cpu", "nanoseconds"))
    profile = Parts(kinds, samples, locations).profile()
    assert value_with_frame(profile, 0, Trait.COLLECTOR) == (3 if collects else 0)
    assert value_with_frame(profile, 1, Trait.COLLECTOR) == (30 if collects else 0)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_only_computes_spends_little_on_collection(program: str) -> None:
    profile = decode((RECORDINGS / program / "cpu_burn1.pb.gz").read_bytes())
    total = sum(sample.values[1] for sample in profile.samples)
    assert 0 <= value_with_frame(profile, 1, Trait.COLLECTOR) < 0.05 * total
