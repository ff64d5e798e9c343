"""What the exporter spares a real target, and what it sees of one that grows or hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pprof_exporter.health import GrowthTracker
from tests.lab import exporter, go
from tests.lab.exporter import Scrape
from tests.lab.target import Target, running
from tests.seams.faults import exercises

SHARE = 0.02
TIGHT = f"""
global: {{scrape_interval: 500ms, scrape_timeout: 1s, profiling_budget: {SHARE}, defer_at_most: 10s}}
profiles:
  cpu: {{interval: 4s, window: 2s}}
  goroutine: {{interval: 500ms}}
  heap: {{interval: 500ms}}
"""


@pytest.fixture
def program() -> Iterator[Target]:
    """One that a test may spoil."""
    with running(go.build(go.VERSIONS[-1])) as target:
        yield target


def fetched(now: Scrape, profile: str, outcome: str = "success") -> float:
    return now.value("pprof_fetches_total", profile=profile, outcome=outcome) or 0


def test_beyond_the_budget_profiles_wait_but_not_for_ever(program: Target, tmp_path: Path) -> None:
    # 6 s are saved at first; of every 4 s a CPU profile takes 2.
    config = tmp_path / "tight.yaml"
    config.write_text(TIGHT)
    with exporter.running(program.url, f"--config.file={config}") as watching:
        assert watching.scrape().value("pprof_exporter_profiling_budget_ratio") == SHARE
        deferred = watching.wait_for(
            lambda now: (now.value("pprof_fetches_deferred_total", profile="cpu", reason="budget") or 0) > 0
        )
        spent = deferred.value("pprof_profiling_seconds_total") or 0
        assert 6 < spent < 12
        overdue = watching.wait_for(lambda now: (now.value("pprof_fetches_overdue_total", profile="cpu") or 0) > 0)
        # What costs nothing goes on, and what is put off is not gone.
        assert fetched(overdue, "index") > fetched(deferred, "index")
        assert overdue.find("pprof_goroutines") != []
        assert overdue.find("pprof_profile_samples", profile="cpu") != []


def test_a_frozen_program_is_wedged_until_it_runs_again(program: Target, fast: Path) -> None:
    with exporter.running(program.url, f"--config.file={fast}") as watching:
        well = watching.wait_for(lambda now: now.value("pprof_wedged", profile="goroutine") is not None)
        assert [value for _, value in well.find("pprof_wedged")] == [0, 0]
        program.pause()
        hung = watching.wait_for(lambda now: now.value("pprof_wedged", profile="index") == 1)
        assert hung.value("pprof_up") == 0
        assert hung.value("pprof_wedged", profile="goroutine") is None
        program.resume()
        watching.wait_for(lambda now: now.value("pprof_wedged", profile="goroutine") == 0)
        program.kill()
        # Nothing accepts connections any more: then it is down, which is another thing.
        watching.wait_for(lambda now: now.value("pprof_up") == 0 and now.find("pprof_wedged") == [])


def test_a_world_that_cannot_be_stopped_is_one_in_which_nothing_comes_that_stops_it(
    program: Target, fast: Path
) -> None:
    with exporter.running(program.url, f"--config.file={fast}") as watching:
        # What has answered at once is not waited for any longer than usual.
        for profile in ("goroutine", "heap", "goroutineleak"):
            watching.wait_for(lambda now: now.find("pprof_profile_samples", profile=profile) != [])  # noqa: B023
        program.fault("goroutine", "hang")
        failed = {"profile": "goroutine", "reason": "timeout_header"}
        # The memory statistics still come, and they stop the world too.
        watching.wait_for(
            lambda now: (
                (now.value("pprof_fetch_failures_total", **failed) or 0) >= 2
                and now.value("pprof_wedged", profile="goroutine") == 0
            )
        )
        for path in ("heap", "goroutineleak"):
            program.fault(path, "hang")
        now = watching.wait_for(lambda now: now.value("pprof_wedged", profile="goroutine") == 1)
        assert (now.value("pprof_up"), now.value("pprof_wedged", profile="index")) == (1, 0)


@exercises(GrowthTracker)
def test_the_function_whose_goroutines_grow_has_a_name(program: Target, fast: Path) -> None:
    with exporter.running(program.url, f"--config.file={fast}") as watching:
        program.control("leak", how="select", n=50)
        assert (
            watching.wait_for(lambda now: fetched(now, "goroutine") > 3).find("pprof_function_goroutine_growth") == []
        )

        def leak_on(now: Scrape) -> bool:
            program.control("leak", how="chan", n=20)
            time.sleep(0.3)
            return bool(now.find("pprof_function_goroutine_growth"))

        grown = watching.wait_for(leak_on)
        ((labels, growth),) = grown.find("pprof_function_goroutine_growth")
        assert labels["function"] == "main.leakOnChannel"
        assert growth >= 100
        # It stops, and so does the series.
        watching.wait_for(lambda now: now.find("pprof_function_goroutine_growth") == [])


@exercises(GrowthTracker)
def test_the_function_whose_heap_grows_has_a_name(program: Target, fast: Path) -> None:
    size = 0
    with exporter.running(program.url, f"--config.file={fast}") as watching:

        def hold_more(now: Scrape) -> bool:
            nonlocal size
            size += 4
            program.control("heap", mib=size)
            program.control("gc")
            time.sleep(0.5)
            return bool(now.find("pprof_function_heap_growth_bytes"))

        grown = watching.wait_for(hold_more)
        found = {labels["function"]: growth for labels, growth in grown.find("pprof_function_heap_growth_bytes")}
        largest = max(found, key=found.__getitem__)
        assert largest.startswith("main.")
        assert found[largest] > 1 << 20


def test_what_contention_profiling_is_set_to_is_known(program: Target, fast: Path) -> None:
    with exporter.running(program.url, f"--config.file={fast}") as watching:
        watching.wait_for(lambda now: now.value("pprof_contention_profiling_enabled", profile="mutex") == 0)
        program.control("rates", block=1, mutex=1)
        program.control("contend", workers=2)
        on = {"mutex": 1.0, "block": 1.0}
        watching.wait_for(
            lambda now: {one["profile"]: value for one, value in now.find("pprof_contention_profiling_enabled")} == on
        )
