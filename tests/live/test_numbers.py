"""Every number on /metrics is what Go's own tools say of the same bytes, and what the program knows of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pprof_exporter.profile import KINDS, Kind, read_index
from tests.lab import exporter, go, proxy, raw
from tests.lab.exporter import Scrape
from tests.lab.target import Target

HELD_MIB = 64
LEAKS = {"chan": 3, "select": 4, "io": 5, "sleep": 6, "mutex": 7}


@dataclass(frozen=True, slots=True)
class Seen:
    """One scrape of the exporter, and the bodies that it is made of."""

    scrape: Scrape
    bodies: dict[str, list[bytes]]
    truth: dict[str, Any]
    folder: Path

    def file(self, path: str, number: int = -1) -> Path:
        file = self.folder / f"{path}{number % len(self.bodies[path])}.pb.gz"
        file.write_bytes(self.bodies[path][number])
        return file

    def kinds(self) -> list[Kind]:
        return [kind for kind in KINDS.values() if kind.path in self.bodies]


@pytest.fixture(scope="module")
def seen(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    target.control("rates", block=1, mutex=1)
    target.control("contend", workers=4)
    target.control("burn", threads=1)
    target.control("heap", mib=HELD_MIB)
    for how, count in LEAKS.items():
        target.control("leak", how=how, n=count)
    if target.go.startswith("go1.27"):
        target.control("leak", how="lost", n=8)
    target.control("gc")
    expected = [kind for kind in KINDS.values() if kind.name != "goroutineleak" or target.go.startswith("go1.27")]
    with proxy.recording(target.url) as watched, exporter.running(watched.url) as program:
        scrape = program.wait_for(
            lambda now: all(now.value("pprof_profile_samples", profile=kind.name) is not None for kind in expected)
        )
        yield Seen(
            scrape=scrape,
            bodies={path: list(bodies) for path, bodies in watched.bodies.items()},
            truth=target.stats(),
            folder=tmp_path_factory.mktemp("bodies"),
        )
    target.control("reset")


def test_all_kinds_are_there_and_the_target_is_up(seen: Seen, target: Target) -> None:
    kinds = {kind.name for kind in seen.kinds()}
    assert kinds == set(KINDS) - (set() if target.go.startswith("go1.27") else {"goroutineleak"})
    assert seen.scrape.value("pprof_up") == 1
    for name in KINDS:
        assert seen.scrape.value("pprof_profile_available", profile=name) == (name in kinds)


def test_every_value_is_the_total_that_go_reads_from_the_same_bytes(seen: Seen) -> None:
    for kind in seen.kinds():
        if kind.name == "threadcreate":
            continue
        totals = raw.read(seen.file(kind.path)).totals
        by_type = {name.partition("/")[0]: total for name, total in totals.items()}
        for value in kind.values:
            labels = {"profile": kind.name} if "profile" in value.family.labels else {}
            shown = seen.scrape.value(value.family.name, **labels)
            assert shown == by_type[value.sample_type] / value.per_unit, (kind.name, value.sample_type)


def test_threads_are_those_that_the_index_page_counted(seen: Seen) -> None:
    # Go's reader drops the stack-less sample of Go 1.22 and older, so the profile is held against the index page.
    created = seen.scrape.value("pprof_threads_created_total")
    counted = read_index(seen.bodies[""][-1]).counts["threadcreate"]
    assert created is not None
    assert 0 <= created - counted <= 4


def test_sizes_and_counts_of_samples_are_those_of_the_bytes(seen: Seen) -> None:
    for kind in seen.kinds():
        if kind.name in ("threadcreate", "goroutine"):
            continue
        file = seen.file(kind.path)
        assert seen.scrape.value("pprof_profile_samples", profile=kind.name) == raw.read(file).samples
        bodies = seen.bodies[kind.path]
        assert seen.scrape.value("pprof_response_bytes_total", profile=kind.name) == sum(map(len, bodies))


def test_functions_and_their_remainder_are_those_of_pprof_top(seen: Seen) -> None:
    for kind, sample_type, family, per_unit in (
        ("cpu", "cpu", "pprof_function_cpu_seconds", 10**9),
        ("heap", "inuse_space", "pprof_function_heap_inuse_bytes", 1),
        ("allocs", "alloc_space", "pprof_function_allocated_bytes", 1),
    ):
        flat = {row.function: row.flat for row in go.pprof_top(seen.file(KINDS[kind].path), sample_type)}
        shown = {labels["function"]: value for labels, value in seen.scrape.find(family)}
        other = shown.pop("other")
        assert shown, family
        assert all(flat.get(function, 0) / per_unit == value for function, value in shown.items())
        assert other == pytest.approx((sum(flat.values()) - sum(flat[name] for name in shown)) / per_unit)


def test_goroutines_are_those_that_the_program_runs(seen: Seen) -> None:
    # The program counts a moment later, and each connection under way is a goroutine or two.
    true = seen.truth["goroutines"]
    assert seen.scrape.value("pprof_goroutines") == pytest.approx(true, abs=8)
    assert seen.scrape.value("pprof_profiled_goroutines") == pytest.approx(true, abs=8)
    shown = {
        labels["function"]: value
        for labels, value in seen.scrape.find("pprof_function_goroutines", profile="goroutine")
    }
    leaked = {name.removeprefix("main.leakOn"): value for name, value in shown.items() if "leakOn" in name}
    expected = {"Channel": 3, "Select": 4, "Read": 5, "Sleep": 6, "Mutex": 7}
    assert leaked.items() >= expected.items()


def test_leaked_goroutines_are_exactly_the_lost_ones(seen: Seen, target: Target) -> None:
    if target.go.startswith("go1.27"):
        assert seen.scrape.value("pprof_leaked_goroutines") == 8
        lost = seen.scrape.value(
            "pprof_function_goroutines", profile="goroutineleak", function="main.leakOnLostChannel"
        )
        assert lost == 8
    else:
        assert seen.scrape.value("pprof_leaked_goroutines") is None


def test_sampled_cpu_time_is_near_the_time_that_the_program_used(seen: Seen) -> None:
    profiled = seen.scrape.value("pprof_cpu_profiled_seconds_total")
    sampled = seen.scrape.value("pprof_cpu_sampled_seconds_total")
    assert profiled == pytest.approx(5, abs=0.4)
    assert sampled is not None
    # One thread burns and four contend on what is left of the machine.
    assert 0.5 * 5 <= sampled <= (seen.truth["gomaxprocs"] + 0.5) * 5


def test_live_heap_is_near_what_the_program_holds(seen: Seen) -> None:
    # Go samples an allocation for each half MiB, by chance: the standard deviation is a fifteenth of what is held.
    held = seen.scrape.value("pprof_heap_inuse_bytes")
    assert held == pytest.approx(HELD_MIB * 2**20, rel=0.35)


def test_contention_is_seen_and_its_waiters_are_named(seen: Seen) -> None:
    for profile in ("block", "mutex"):
        assert (seen.scrape.value("pprof_contention_seconds_total", profile=profile) or 0) > 0
        assert (seen.scrape.value("pprof_contentions_total", profile=profile) or 0) > 0
        functions = {
            labels["function"]
            for labels, value in seen.scrape.find("pprof_function_contention_seconds", profile=profile)
            if value > 0
        }
        assert any(function.startswith("main.") for function in functions), functions
