"""What the metrics page says of the heap is taken where it holds, and heap?debug=1 is needed only for the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.config import ProfileSettings
from pprof_exporter.profile import read_memstats
from pprof_exporter.profile.memstats import HeapFigures, MemStats
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.state.auxiliary import MemStatsState
from pprof_exporter.scrape.state.freshness import memstats_fresh_until
from pprof_exporter.scrape.state.gc_state import Collections, GcState
from tests.scrape.fakes import RECORDED, settings

OWN = ProfileSettings(300, beside_page=1500)
MINUTE = 60.0
AT = 1_800_000_000.0
FIRST = replace(read_memstats((RECORDED / "heap_debug1.txt").read_bytes()), num_gc=100, last_gc=AT - 5)


def after(collections: int) -> HeapFigures:
    """What the page says so many collections after the first memory statistics."""
    return replace(FIRST.figures, num_gc=FIRST.num_gc + collections)


def known(*, page: HeapFigures | None = None, page_at: float = AT + 280) -> MemStatsState:
    state = MemStatsState()
    state.record(FIRST, AT)
    state.record_page(page, page_at)
    return state


def test_the_newest_of_both_sources_holds() -> None:
    state = known(page=replace(after(3), heap_alloc=1, next_gc=2, buck_hash_sys=3))
    assert state.figures == HeapFigures(1, 2, FIRST.num_gc + 3, 3)
    assert (state.figures_at, state.at) == (AT + 280, AT)
    later = replace(FIRST, num_gc=FIRST.num_gc + 4)
    state.record(later, AT + 300)
    assert (state.figures, state.figures_at) == (later.figures, AT + 300)


def test_replies_that_overlap_never_count_backwards() -> None:
    state = known(page=after(3))
    state.record(replace(FIRST, num_gc=FIRST.num_gc + 2), AT + 281)
    assert state.figures is not None
    assert state.figures.num_gc == FIRST.num_gc + 3
    assert state.page_at == AT + 280
    assert not state.record_page(after(1), AT + 290), "an older count is that of an older reply"
    assert state.figures.num_gc == FIRST.num_gc + 3


def test_the_page_of_another_process_is_left_alone() -> None:
    state = known(page=after(1000))
    second = replace(FIRST, num_gc=FIRST.num_gc + 5)
    state.record(second, AT + 600)
    assert (state.figures, state.page_at) == (second.figures, None)
    assert not state.record_page(after(1001), AT + 660)
    assert state.needs_fetch(AT + 900, OWN)
    state.begin_process()
    assert state.record_page(after(1), AT + 1000)


@pytest.mark.parametrize(
    ("state", "now", "needed"),
    [
        (MemStatsState(), AT, True),
        (known(), AT + 300, True),
        (known(page=after(10)), AT + 300, False),
        (known(page=after(10), page_at=AT + 1180), AT + 1200, False),
        (known(page=after(10), page_at=AT + 1480), AT + 1500, True),
        (known(page=after(10), page_at=AT + 1180), AT + 1481, True),
        (known(page=after(115)), AT + 300, False),
        (known(page=after(130)), AT + 300, True),
        (known(page=after(10), page_at=AT - 20), AT + 300, True),
    ],
    ids=[
        "new",
        "without a page",
        "with a page",
        "before the longer interval",
        "after it",
        "the page is gone",
        "the ring holds the pauses of the next interval too",
        "the ring would overflow",
        "the page was read before",
    ],
)
def test_the_text_is_fetched_for_what_the_page_does_not_tell(state: MemStatsState, now: float, *, needed: bool) -> None:
    assert state.needs_fetch(now, OWN) is needed
    assert state.needs_fetch(now, ProfileSettings(300)), "an interval that the user set holds"


def test_after_a_failure_an_hour_of_fetches_is_made_as_often_as_without_a_page() -> None:
    state = known(page=after(10))
    state.counters.failed(FetchError(Reason.TIMEOUT_HEADER, ""))
    for _ in range(12):
        assert state.needs_fetch(AT + 300, OWN)
        state.counters.succeeded(AT, None)
    assert not state.needs_fetch(AT + 300, OWN)


def test_what_only_the_text_has_is_valid_for_its_longer_interval_while_the_page_comes() -> None:
    own = settings("shop:1")
    alone = AT + 2.5 * 300 + own.timeout
    assert memstats_fresh_until(known(), settings=own) == alone
    assert memstats_fresh_until(known(page=after(1)), settings=own) == alone + 280
    state = known(page=after(1), page_at=AT + 20_000)
    assert memstats_fresh_until(state, settings=own) == AT + 2.5 * 1500 + own.timeout
    obeyed = replace(own, profiles=own.profiles | {"memstats": ProfileSettings(300)})
    assert memstats_fresh_until(state, settings=obeyed) == alone


def test_no_pause_within_a_profile_is_lost_in_the_longer_interval() -> None:
    state = known()
    for number in range(25):
        state.add_window(AT + number * MINUTE, AT + number * MINUTE + 5)
    ends, pauses = list(FIRST.pause_end), list(FIRST.pause_ns)
    for number in range(25):
        slot = (FIRST.num_gc + number) % 256
        ends[slot], pauses[slot] = round((AT + number * MINUTE + 1) * 1e9), 1000
    last = AT + 24 * MINUTE + 1
    found = replace(FIRST, num_gc=FIRST.num_gc + 25, last_gc=last, pause_end=tuple(ends), pause_ns=tuple(pauses))
    state.record(found, AT + 1500)
    assert (state.pauses_within_windows, state.unseen_collections) == (25, 0)
    assert list(state._windows) == [(AT + 24 * MINUTE, AT + 24 * MINUTE + 5)], "the next pause can still be within it"


def stats(collections: int, forced: int | None, fill: float = 0.5) -> MemStats:
    return replace(FIRST, num_gc=collections, num_forced_gc=forced, heap_alloc=round(1000 * fill), next_gc=1000)


def test_collections_are_those_of_which_the_requested_ones_are_known() -> None:
    state = GcState()
    state.record(stats(100, 60), 0)
    for minute in range(1, 26):
        state.record_page(stats(100 + 4 * minute, None).figures, minute * MINUTE)
    state.record(stats(200, 150), 25 * MINUTE)
    state.record_page(stats(300, None).figures, 30 * MINUTE)
    assert state.collections == Collections(100, 90, 0.5, 400.0)


def test_readings_of_a_page_are_as_far_apart_as_those_of_the_text() -> None:
    state = GcState()
    for second in range(0, 3600, 30):
        state.record_page(stats(second, None, 0.9 if second % 240 == 0 else 0.1).figures, second)
    found = state.collections
    assert found is not None
    assert len(state._memory) == 15
    assert (found.least_fill, found.forced) == (0.9, None)
    assert found.per_hour == pytest.approx(3600)


def test_a_page_and_a_text_of_one_round_are_no_rate() -> None:
    state = GcState()
    state.record_page(stats(100, None).figures, 0)
    state.record(stats(101, 7), 2)
    state.record_page(stats(102, None).figures, 4)
    assert state.collections == Collections(101, 7, None, None)
