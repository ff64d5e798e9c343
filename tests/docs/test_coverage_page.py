"""The page on coverage shows what was measured, and the README asks what the alert asks."""

from __future__ import annotations

import re

import pytest

from benchmarks.coverage.__main__ import PICTURE, RESULTS, grid
from benchmarks.coverage.cells import Load, Result, groups, read_results
from benchmarks.coverage.picture import draw
from benchmarks.coverage.simulate import coverage, expected
from benchmarks.coverage.tables import mean_cores, rows_of
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from tests.docs.pages import CHINESE, README
from tests.lab import PROJECT

PAGE = (PROJECT / "docs" / "coverage.md").read_text(encoding="utf-8")
RESULTS_READ = read_results(RESULTS)
LINUX = rows_of(RESULTS_READ, "linux")
KERNEL = 250
"""Ticks per second of the kernel on which the grid was measured."""
SHORT = Load(100e-6, 0.01)


def limit(name: str) -> float:
    return THRESHOLDS_BY_NAME[name].value


def test_the_picture_is_drawn_from_the_results() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(RESULTS_READ), "run `python -m benchmarks.coverage --draw`"


@pytest.mark.parametrize("result", RESULTS_READ, ids=lambda one: f"{one.cell.system}-{one.cell.version}-{one.cell}")
def test_the_tables_have_every_cell(result: Result) -> None:
    load, threads = result.cell.load.title, result.cell.threads
    row = next(line for line in _rows(result.cell.system) if line.startswith(f"| {load} | {threads} |"))
    assert "not judged" in row if result.coverage is None else f" {result.coverage:.2f} (" in row


def _rows(system: str) -> list[str]:
    linux, windows = PAGE.split("## Windows")
    return (linux if system == "linux" else windows).splitlines()


def test_the_whole_grid_was_measured() -> None:
    assert {result.cell for result in RESULTS_READ} == {*grid("linux"), *grid("windows")}


def test_programs_that_run_at_once_are_light_or_alone() -> None:
    cells = grid("linux")
    found = list(groups(cells, 0.6))
    assert sorted(str(cell) for group in found for cell in group) == sorted(map(str, cells))
    assert all(sum(cell.share for cell in group) <= 0.6 or len(group) == 1 for group in found)


@pytest.mark.parametrize(("load", "threads"), LINUX, ids=str)
def test_the_simulation_is_near_what_was_measured(load: Load, threads: int) -> None:
    found = LINUX[load, threads].values()
    cores = mean_cores(found)
    measured = sum(result.coverage or 0 for result in found) / len(found)
    over = coverage(load, threads, cores, KERNEL) - measured
    assert -0.01 < over < (0.09 if cores > 0.015 else 0.18)


def test_more_ticks_lose_less() -> None:
    by_ticks = [coverage(SHORT, 4, 0.06, ticks, windows=10) for ticks in (100, 250, 1000)]
    assert by_ticks == sorted(by_ticks)
    assert by_ticks[0] < 0.65
    assert by_ticks[-1] > 0.95


def test_a_busy_thread_loses_nothing_whatever_the_ticks() -> None:
    assert coverage(Load(0.02, 0), 1, 1.0, 100, windows=5) == pytest.approx(1, abs=0.01)


def test_the_two_losses_in_closed_form() -> None:
    assert expected(1e9, 1, 250) == pytest.approx(0.918, abs=0.001)
    assert expected(1e9, 1, 100) == pytest.approx(0.632, abs=0.001)
    assert expected(0.05, 5, 250) == pytest.approx(0.918 - 0.4, abs=0.001)
    assert expected(0.01, 5, 250) == 0


@pytest.mark.parametrize(("load", "threads"), LINUX, ids=str)
def test_no_healthy_cell_is_near_an_absolute_limit(load: Load, threads: int) -> None:
    for result in LINUX[load, threads].values():
        assert result.coverage is not None
        if result.used >= limit("cpu_used_busy"):
            assert result.coverage > 0.9
        elif result.used >= limit("cpu_used_light"):
            assert result.coverage > limit("cpu_coverage_fallen") > limit("cpu_coverage_low_light")


def test_even_at_100_ticks_a_second_busy_programs_are_not_below_the_limit() -> None:
    assert expected(limit("cpu_used_busy"), 12, 100) > limit("cpu_coverage_low")


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_the_query_of_the_readme_asks_what_the_alert_asks_of_busy_targets(page: object) -> None:
    text = (README if page is README else CHINESE).read_text(encoding="utf-8")
    query = next(line for line in text.splitlines() if "pprof_cpu_accounted_seconds_total" in line)
    used = re.search(r"([\d.]+) \* increase\(pprof_cpu_compared_profiles_total", query)
    least = re.search(r"< ([\d.]+)`", query)
    assert used is not None
    assert least is not None
    assert float(used[1]) == limit("cpu_used_busy")
    assert float(least[1]) == limit("cpu_coverage_low")
