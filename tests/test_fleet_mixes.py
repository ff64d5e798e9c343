"""The programs that the fleet benchmark makes up are valid, the same each time, and as large as they should be."""

from __future__ import annotations

import pytest

from benchmarks.fleet import made_program, made_text, mixes, wire
from benchmarks.fleet.made_program import MadeProgram
from benchmarks.fleet.made_text import Figures
from pprof_exporter.profile import System, decode, read_index, read_page, system_of
from pprof_exporter.profile.memstats import HeapFigures, read_memstats, read_page_figures
from tests.recorded import RECORDINGS

SIZE = mixes.Size(functions=80, heap=60, cpu=40, goroutine=12, contention=5, processors=0.5, page_lines=60)
RECORDED = RECORDINGS / "linux-go1.27.3"
MAX_BYTES = 10**8


@pytest.fixture(scope="module")
def replies() -> dict[str, bytes]:
    return dict(mixes._replies(MadeProgram("shop", SIZE.functions, "seed"), SIZE))


def test_a_seed_makes_the_same_program_each_time(replies: dict[str, bytes]) -> None:
    assert dict(mixes._replies(MadeProgram("shop", SIZE.functions, "seed"), SIZE)) == replies
    assert dict(mixes._replies(MadeProgram("shop", SIZE.functions, "other"), SIZE)) != replies


def test_every_profile_is_valid_and_of_one_program_on_linux(replies: dict[str, bytes]) -> None:
    profiles = {name: decode(body, max_bytes=MAX_BYTES) for name, body in replies.items() if name.endswith(".gz")}
    assert len(profiles) == 12
    assert len({profile.mappings for profile in profiles.values()}) == 1
    assert {system_of(profile) for profile in profiles.values()} == {System.LINUX}
    for profile in profiles.values():
        assert len({sample.stack for sample in profile.samples}) == len(profile.samples)


def test_heap_and_allocations_are_of_the_same_records(replies: dict[str, bytes]) -> None:
    heap, later = (decode(replies[name], max_bytes=MAX_BYTES) for name in ("heap.pb.gz", "heap_retained.pb.gz"))
    assert len(heap.samples) == SIZE.heap
    depths = [len(sample.stack) for sample in heap.samples]
    assert all(5 <= depth <= 40 for depth in depths)
    assert sum(depths) / len(depths) > 9
    assert any(len(location.lines) > 1 for location in heap.locations.values()), "calls were inlined"
    for one, other in zip(heap.samples, later.samples, strict=True):
        assert one.values[:2] == other.values[:2], "totals since the start never fall"
        assert one.values[2] <= one.values[0]
    assert [sample.values for sample in heap.samples] != [sample.values for sample in later.samples]


def test_a_cpu_profile_has_the_ticks_of_its_processors(replies: dict[str, bytes]) -> None:
    profile = decode(replies["cpu_burn1.pb.gz"], max_bytes=MAX_BYTES)
    assert sum(sample.values[0] for sample in profile.samples) == pytest.approx(SIZE.processors * 500, abs=1)
    assert all(ticks * 10_000_000 == spent for ticks, spent in (sample.values for sample in profile.samples))


def test_the_texts_are_those_of_the_same_program(replies: dict[str, bytes]) -> None:
    stats = read_memstats(replies["heap_debug1.txt"])
    page = replies["metrics.txt"]
    assert read_page_figures(page) == HeapFigures(stats.heap_alloc, stats.next_gc, stats.num_gc, stats.buck_hash_sys)
    assert read_page(page).gomaxprocs == 2
    index = read_index(replies["index.html"])
    goroutines = decode(replies["goroutine.pb.gz"], max_bytes=MAX_BYTES)
    assert index.counts["goroutine"] == sum(sample.values[0] for sample in goroutines.samples)
    assert index.records["heap"] == SIZE.heap


def test_a_program_may_have_no_figures_on_its_page() -> None:
    recorded = (RECORDED / "metrics.txt").read_text()
    assert read_page_figures(made_text.metrics(recorded, None, 60, processors=8)) is None
    figures = Figures(heap_alloc=10, next_gc=20, collections=30, profiler_memory=40)
    page = made_text.metrics(recorded, figures, 60, processors=8)
    assert read_page_figures(page) == HeapFigures(10, 20, 30, 40)
    assert len(page.splitlines()) > 60


def test_lists_of_more_than_two_are_packed_as_go_does() -> None:
    program = MadeProgram("shop", 10, "seed")
    header = wire.Header((("a", "count"), ("b", "count")), ("a", "count"), 1, 1)
    stacks = program.stacks(3, made_program.RUNNING, 12)
    samples = [wire.Sample(stack, (number + 1, 2**40)) for number, stack in enumerate(stacks)]
    decoded = decode(wire.profile(program.binary, header, samples), max_bytes=MAX_BYTES)
    assert [sample.values for sample in decoded.samples] == [(1, 2**40), (2, 2**40), (3, 2**40)]
    assert [len(sample.stack) for sample in decoded.samples] == [len(stack) for stack in stacks]


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\1"), (-1, b"\xff" * 9 + b"\1")]
)
def test_numbers_are_in_groups_of_seven_bits(value: int, encoded: bytes) -> None:
    assert wire.varint(value) == encoded
