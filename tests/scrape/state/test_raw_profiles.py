"""Raw profiles of late: the newest and the last good one of each kind, within a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of


def test_the_last_good_one_stays_while_something_is_wrong() -> None:
    bodies = RawProfiles(1000, {"heap"})
    bodies.add("shop:1", "heap", 1.0, b"good")
    bodies.mark_good("shop:1", ["heap"])
    for at in (2.0, 3.0):
        bodies.add("shop:1", "heap", at, b"bad%d" % at)
    assert [body.data for body in bodies.latest("shop:1", ["heap"])] == [b"bad3"]
    assert [(body.asked_at, body.data) for body in bodies.good("shop:1", ["heap"])] == [(1.0, b"good")]


def test_a_newest_one_that_is_good_is_not_told_twice() -> None:
    bodies = RawProfiles(1000, {"heap"})
    bodies.add("shop:1", "heap", 1.0, b"good")
    bodies.mark_good("shop:1", ["heap"])
    assert bodies.good("shop:1", ["heap"]) == []


def test_only_kinds_that_are_asked_for_are_kept() -> None:
    bodies = RawProfiles(1000, {"heap"})
    bodies.add("shop:1", "allocs", 1.0, b"12345")
    assert bodies.bytes == 0
    assert bodies.latest("shop:1", ["allocs", "heap"]) == []


def test_what_was_not_renewed_for_longest_goes_first() -> None:
    bodies = RawProfiles(10, {"heap"})
    for target in ("a", "b", "a", "c"):
        bodies.add(target, "heap", 1.0, b"1234")
    assert [bool(bodies.latest(target, ["heap"])) for target in "abc"] == [True, False, True]


def test_targets_that_are_gone_take_no_memory() -> None:
    bodies = RawProfiles(1000, {"heap"})
    for target in ("a", "b"):
        bodies.add(target, "heap", 1.0, b"1234")
    bodies.retain({"b"})
    assert bodies.latest("a", ["heap"]) == []
    assert bodies.bytes == 4


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["heap", "cpu"]), st.integers(0, 60), st.booleans()), max_size=60
)


@given(steps=STEPS)
def test_the_bound_holds_and_the_books_are_right(steps: list[tuple[str, str, int, bool]]) -> None:
    bodies = RawProfiles(200, {"heap", "cpu"})
    for i, (target, kind, size, good) in enumerate(steps):
        bodies.add(target, kind, float(i), bytes(size))
        if good:
            bodies.mark_good(target, [kind])
        kinds = ["heap", "cpu"]
        held = [body for name in "abc" for body in (*bodies.latest(name, kinds), *bodies.good(name, kinds))]
        assert bodies.bytes == sum(len(body.data) for body in held) <= 200


async def test_a_pool_keeps_what_could_be_read_and_nothing_else() -> None:
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    fetcher.bodies["heap"] = b"<html>"
    bodies = RawProfiles(10**6, {"heap", "cpu", "trace"})
    pool = pool_of(clock, fetcher, "shop:1", raw_profiles=bodies)
    await clock.advance(10)
    await pool.close(0)
    (cpu,) = bodies.latest("shop:1", ["cpu", "heap"])
    assert cpu.data == (fetcher.folder / "cpu_burn1.pb.gz").read_bytes()
    (trace,) = bodies.latest("shop:1", ["trace"])
    assert trace.data == (fetcher.folder / "burn2.trace").read_bytes()


async def test_without_bodies_a_pool_keeps_nothing_raw() -> None:
    clock = FakeClock()
    pool: Pool = pool_of(clock, FakeFetcher(clock), "shop:1")
    await clock.advance(10)
    context = pool.context("shop:1")
    await pool.close(0)
    assert context is not None
    assert context.raw_profiles is None
    assert pool.context("nobody:1") is None
