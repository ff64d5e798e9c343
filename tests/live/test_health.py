"""Signals of real programs, of every system and version: near the truth, and none of them bad on a healthy one.

Windows builds run under Wine: that is Go's own code for Windows, and not the kernel of Windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pprof_exporter.health.goroutine_states import goroutine_states
from tests.lab import exporter, go
from tests.lab.exporter import Exporter, Scrape
from tests.lab.go import System
from tests.lab.target import Target, running
from tests.seams.faults import exercises

FAST = """
global: {scrape_interval: 1s, scrape_timeout: 5s, profiling_budget: 1, defer_at_most: off}
profiles:
  cpu: {interval: 4s, window: 3s}
  heap: {interval: 2s}
  allocs: {interval: 2s}
  goroutine: {interval: 1s}
  goroutineleak: {interval: 2s}
  block: {interval: 2s}
  mutex: {interval: 2s}
  threadcreate: {interval: 2s}
"""
SYSTEMS: tuple[System, ...] = ("linux", "windows")
PROGRAMS = [(system, version) for version in go.VERSIONS for system in SYSTEMS]


@dataclass(frozen=True, slots=True)
class Window:
    """The metrics before and after a while."""

    before: Scrape
    now: Scrape

    def rise(self, name: str, **labels: str) -> float:
        """By how much all counters of this name and with these labels have risen together."""
        before, now = (sum(value for _, value in scrape.find(name, **labels)) for scrape in (self.before, self.now))
        return now - before


@dataclass(frozen=True, slots=True)
class Watched:
    """A program of one system and version, and the exporter that watches it."""

    system: System
    target: Target
    program: Exporter

    def another_window(self) -> Window:
        """A whole CPU window, with snapshots besides."""
        before = self.program.scrape()
        done = before.value("pprof_fetches_total", profile="cpu", outcome="success") or 0
        now = self.program.wait_for(
            lambda now: (now.value("pprof_fetches_total", profile="cpu", outcome="success") or 0) >= done + 2
        )
        return Window(before, now)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "fast.yaml"
    path.write_text(FAST)
    return path


@pytest.fixture(scope="module", params=PROGRAMS, ids="-go".join)
def watched(request: pytest.FixtureRequest, config: Path) -> Iterator[Watched]:
    system, version = request.param
    with (
        running(go.build(version, system), wine=system == "windows") as target,
        exporter.running(target.url, f"--config.file={config}") as program,
    ):
        yield Watched(system, target, program)
        assert "Traceback" not in program.log


@pytest.fixture(autouse=True)
def _at_rest(watched: Watched) -> Iterator[None]:
    yield
    watched.target.control("reset")
    watched.target.control("rates", block=0, mutex=0)


def healthy(window: Window) -> Scrape:
    """No signal says that profiling itself has gone bad meanwhile; the metrics after it."""
    now = window.now
    assert now.value("pprof_up") == 1
    for bad in ("cpu_lost_samples", "profile_clock_regressions", "fetch_failures", "decode_failures", "changes"):
        assert window.rise(f"pprof_{bad}_total") == 0, now.text
    # These are there from the first look on, the others from the first failure on.
    assert now.find("pprof_cpu_lost_samples_total")
    assert now.find("pprof_changes_total")
    assert all(value == 0 for _, value in now.find("pprof_unsymbolized_ratio"))
    # The handlers of text pages reach the 32 frames of Go 1.21 while they flush, and now and then one of their
    # allocations is sampled.
    assert all(value < 0.1 for _, value in now.find("pprof_truncated_stack_ratio"))
    assert all(abs(value) < 2 for _, value in now.find("pprof_profile_clock_skew_seconds"))
    assert -0.05 <= (now.value("pprof_profile_window_error_seconds") or 0) <= 1
    assert now.find("pprof_foreign_module_info") == []
    return now


def test_an_idle_program_is_healthy_and_its_coverage_unknown(watched: Watched) -> None:
    now = healthy(watched.another_window())
    assert now.value("pprof_cpu_coverage_ratio") is None
    assert (now.value("pprof_cpu_used_seconds_total", source="metrics") or 0) < 2


def test_samples_of_a_busy_program_account_for_the_time_that_it_used(watched: Watched) -> None:
    watched.target.control("burn", threads=1)
    now = healthy(watched.another_window())
    coverage = now.value("pprof_cpu_coverage_ratio")
    rate = now.value("pprof_cpu_effective_rate_hertz")
    # Windows counts a thread that waits for a processor as running (runtime/os_windows.go profileLoop).
    most = 1.15 if watched.system == "linux" else 1.8
    assert coverage is not None
    assert 0.85 <= coverage <= most
    assert rate == pytest.approx(100 * coverage)


def test_threads_in_system_calls_neither_hide_a_loss_nor_look_like_load(watched: Watched) -> None:
    watched.target.control("syscall", n=4)
    window = watched.another_window()
    now = healthy(window)
    accounted, used = (
        window.rise(f"pprof_cpu_{what}_seconds_total", source="metrics") for what in ("accounted", "used")
    )
    assert accounted <= used + 1
    blocked = now.value("pprof_cpu_blocked_samples_total")
    assert (blocked is None) if watched.system == "linux" else (blocked or 0) > 500


@exercises(goroutine_states)
def test_leaking_goroutines_are_counted_by_state_and_by_entry(watched: Watched) -> None:
    leaks = {"chan": 5, "select": 6, "io": 7, "sleep": 8, "mutex": 9}
    for how, count in leaks.items():
        watched.target.control("leak", how=how, n=count)
    now = healthy(watched.another_window())
    states = {labels["state"]: value for labels, value in now.find("pprof_goroutines_by_state")}
    assert states["chan_receive"] >= 5
    assert states["select"] >= 6
    assert states["io_wait"] >= 7
    # The runtime has a goroutine or two of its own that sleep.
    assert 8 <= states["sleep"] <= 10
    assert states["mutex"] == 9
    by_function = now.value("pprof_function_goroutines", profile="goroutine", function="main.leakOnSelect")
    assert by_function == 6


def test_contention_is_seen_while_its_profiles_are_on(watched: Watched) -> None:
    watched.target.control("rates", block=1, mutex=1)
    watched.target.control("contend", workers=4)
    now = healthy(watched.another_window())
    for profile in ("block", "mutex"):
        assert (now.value("pprof_contention_seconds_total", profile=profile) or 0) > 0


def test_the_target_is_known_for_what_it_is(watched: Watched) -> None:
    now = watched.program.wait_for(
        lambda now: (
            bool(now.value("pprof_fetches_total", profile="cpu", outcome="success"))
            and bool(now.find("pprof_target_info"))
        )
    )
    ((about, _),) = now.find("pprof_target_info")
    assert about["system"] == watched.system
    assert about["go_version"] == watched.target.go.removeprefix("go")
    assert about["program"] == ("target.exe" if watched.system == "windows" else "target")
    modules = {labels["module"] for labels, _ in now.find("pprof_system_module_timestamp_seconds")}
    assert modules == ({"ntdll.dll", "kernel32.dll", "kernelbase.dll"} if watched.system == "windows" else set())


def test_the_sampling_clock_is_audited_where_the_trace_can_be_read(watched: Watched) -> None:
    now = watched.program.wait_for(lambda now: bool(now.find("pprof_tick_audits_total")))
    outcomes = {labels["outcome"] for labels, _ in now.find("pprof_tick_audits_total")}
    assert outcomes == ({"unsupported"} if watched.target.go.startswith("go1.21") else {"success"})
