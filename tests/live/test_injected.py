"""Fault injection: each failure mode is seen by its own signal, and by no other.

Real programs, real profiles; what no program does on command is changed on the way by a proxy.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from pprof_exporter.health import audit
from pprof_exporter.health.blocked_and_gc import blocked_and_gc
from pprof_exporter.health.coverage import coverage
from pprof_exporter.health.losses import losses
from pprof_exporter.health.stacks import stacks
from pprof_exporter.health.symbols import symbols
from pprof_exporter.health.time_stamps import time_stamps
from tests.lab import exporter, go
from tests.lab.changes import opaque, overflowed, set_back_once, shifted, stripped, thinned
from tests.lab.exporter import Exporter, Scrape
from tests.lab.rewrite import PROFILES, SNAPSHOTS, Rewriter, rewriting
from tests.lab.target import Target, running
from tests.lab.verdict import bad
from tests.seams.faults import exercises

# Each test has an exporter of its own, which has not spent its budget when the test is over.
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 5s}
profiles:
  cpu: {interval: 4s, window: 3s}
  heap: {interval: 1s}
  allocs: {interval: 1s}
  goroutine: {interval: 1s}
  goroutineleak: {interval: 1s}
  block: {interval: 1s}
  mutex: {interval: 1s}
  threadcreate: {interval: 1s}
  canary: {interval: 1s}
"""
WINDOWS = "1.24.11"
NOTHING: set[str] = set()


def without_noise(found: set[str], own: set[str]) -> set[str]:
    """What is bad, without what a machine that is busy with other things has for real: jitter and slow replies.

    They count in the tests that are about them.
    """
    about_latency = any(name.startswith("slow:") for name in own)
    noise = {name for name in found if name == "tick_jitter" or (name.startswith("slow:") and not about_latency)}
    return found - (noise - own)


@dataclass(frozen=True, slots=True)
class Watched:
    """A program behind a proxy, and the exporter that watches it there."""

    target: Target
    proxy: Rewriter
    program: Exporter

    def ever_only(self, own: set[str], until: Callable[[Scrape], bool]) -> Scrape:
        """The metrics once the condition holds; meanwhile nothing but `own` may be bad."""

        def holds(now: Scrape) -> bool:
            assert without_noise(bad(now), own) <= own, now.text
            return until(now)

        return self.program.wait_for(holds)

    def healthy(self) -> Scrape:
        """The metrics once everything was read at least once; nothing is bad."""
        return self.ever_only(NOTHING, lambda now: fetched(now, "cpu") > 0 and fetched(now, "canary") > 0)

    def sees_only(self, own: str, *, profile: str) -> Scrape:
        """The metrics once this signal is bad, and still is after the next profile: it alone, from now to the end."""
        shown = self.ever_only({own}, lambda now: own in bad(now))
        done = fetched(shown, profile)
        now = self.ever_only({own}, lambda now: fetched(now, profile) > done)
        assert without_noise(bad(now), {own}) == {own}
        return now

    def sees_only_again(self, own: str, *, profile: str) -> Scrape:
        """The same, if a busy machine leaves a single profile or audit too little to tell: bad in a later one too."""
        done = fetched(self.ever_only({own}, lambda now: own in bad(now)), profile)
        return self.ever_only({own}, lambda now: fetched(now, profile) > done and own in bad(now))


def fetched(now: Scrape, profile: str) -> float:
    return now.value("pprof_fetches_total", profile=profile, outcome="success") or 0


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "injected.yaml"
    path.write_text(CONFIG)
    return path


Watch = Callable[..., contextlib.AbstractContextManager[Watched]]


@pytest.fixture
def watch(config: Path) -> Watch:
    """Starts an exporter on a target, through a proxy that `before` may set up."""

    @contextlib.contextmanager
    def start(target: Target, *flags: str, before: Callable[[Rewriter], object] | None = None) -> Iterator[Watched]:
        with rewriting(target.url) as proxy:
            if before is not None:
                before(proxy)
            with exporter.running(proxy.url, f"--config.file={config}", *flags) as program:
                yield Watched(target, proxy, program)
                assert "Traceback" not in program.log

    return start


@pytest.fixture(scope="module")
def program() -> Iterator[Target]:
    with running(go.build(go.VERSIONS[-1])) as target:
        yield target


@pytest.fixture(scope="module")
def program_on_windows() -> Iterator[Target]:
    with running(go.build(WINDOWS, "windows"), wine=True) as target:
        yield target


@pytest.fixture
def busy(program: Target) -> Iterator[Target]:
    """A Linux program with one busy thread."""
    program.control("burn", threads=1)
    yield program
    program.control("reset")


@pytest.fixture
def busy_on_windows(program_on_windows: Target) -> Iterator[Target]:
    program_on_windows.control("burn", threads=1)
    yield program_on_windows
    program_on_windows.control("reset")


@contextlib.contextmanager
def stuttering(target: Target) -> Iterator[None]:
    """Freeze the program for a tick or so, a fifth of the time, as antivirus software and hypervisors do."""
    stop, random = threading.Event(), Random(3)

    def freeze() -> None:
        while not stop.is_set():
            target.pause()
            try:
                time.sleep(0.014)
            finally:
                target.resume()
            stop.wait(random.uniform(0.04, 0.06))

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def profiled_by_another(target: Target) -> Iterator[None]:
    """Somebody else takes a CPU profile of 30 s, for as long as the block lasts."""
    connection = get_through(target)
    try:
        yield
    finally:
        connection.close()


def get_through(target: Target) -> http.client.HTTPConnection:
    """A connection over which a CPU profile is being taken."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(urlsplit(target.url).netloc)
        connection.request("GET", "/debug/pprof/profile?seconds=30")
        refused, _, _ = select.select([connection.sock], [], [], 0.2)
        if not refused:
            return connection
        connection.close()
        # While the exporter profiles, everybody else is refused within a millisecond.
        time.sleep(0.02)
    raise AssertionError("no other profiler came through")


@exercises(coverage)
def test_at_64_hertz_only_coverage_is_bad(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.change(thinned(0.64), "profile")
        now = watched.sees_only("cpu_coverage", profile="cpu")
        assert 58 <= (now.value("pprof_cpu_effective_rate_hertz") or 0) <= 70


@exercises(losses)
def test_lost_samples_are_only_lost(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.change(overflowed, "profile")
        watched.sees_only("cpu_lost", profile="cpu")


@exercises(losses)
@pytest.mark.parametrize(
    ("root", "leaf"),
    [("runtime._System", None), ("runtime._System", "runtime._ExternalCode")],
    ids=["in the program", "outside the program"],
)
def test_stacks_that_cannot_be_walked_are_only_opaque(busy: Target, watch: Watch, root: str, leaf: str | None) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.change(opaque(root, leaf), "profile")
        now = watched.sees_only("opaque", profile="cpu")
        counts = [value for _, value in now.find("pprof_cpu_opaque_samples_total")]
        assert sum(counts) < (now.value("pprof_cpu_samples_total") or 0)


@exercises(audit)
def test_a_program_that_stutters_has_only_jitter(busy: Target, watch: Watch) -> None:
    with watch(busy, "--scrape.audit=2s") as watched:
        watched.healthy()
        busy.control("burn", threads=2)
        with stuttering(busy):
            now = watched.sees_only_again("tick_jitter", profile="cpu")
        # It is held against the CPU time that was really used.
        assert (now.value("pprof_cpu_coverage_ratio") or 0) > 0.85


@exercises(time_stamps)
def test_a_wrong_clock_is_only_skewed_and_well_again_when_it_was_set(busy: Target, watch: Watch) -> None:
    with watch(busy, before=lambda proxy: proxy.change(shifted(-90), *PROFILES)) as watched:
        now = watched.sees_only("clock_skew", profile="cpu")
        skews = {labels["profile"]: value for labels, value in now.find("pprof_profile_clock_skew_seconds")}
        assert set(skews) == {*SNAPSHOTS, "cpu"}
        assert all(-92 < skew < -88 for skew in skews.values())
        watched.proxy.heal()
        watched.ever_only({"clock_skew"}, lambda now: not without_noise(bad(now), NOTHING))


@exercises(time_stamps)
def test_a_clock_set_back_is_only_a_regression(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.change(set_back_once(), "heap")
        now = watched.sees_only("clock_regression", profile="heap")
        regressions = {labels["profile"]: value for labels, value in now.find("pprof_profile_clock_regressions_total")}
        assert {profile for profile, count in regressions.items() if count} == {"heap"}
        assert regressions["heap"] == 1


def test_a_slow_heap_endpoint_is_only_slow_for_the_heap(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.delay(0.4, "heap")
        now = watched.sees_only("slow:heap", profile="heap")
        assert 0.3 < (now.value("pprof_latency_difference_seconds", cause="heap") or 0) < 0.6


def test_a_service_that_stalls_while_it_is_profiled_is_only_perturbed(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.stall_while_profiled(0.15)
        watched.sees_only("perturbed", profile="canary")


def test_a_second_profiler_only_keeps_it_busy(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        with profiled_by_another(busy):
            now = watched.sees_only("busy", profile="heap")
        assert now.find("pprof_fetch_failures_total") == []


@exercises(symbols)
def test_a_heap_profile_without_names_only_lacks_symbols(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        watched.proxy.change(stripped, "heap")
        now = watched.sees_only("symbols:heap", profile="heap")
        assert now.value("pprof_unsymbolized_ratio", profile="heap") == 1


@exercises(stacks)
def test_deep_stacks_are_only_cut_in_cpu_profiles(busy: Target, watch: Watch) -> None:
    with watch(busy) as watched:
        watched.healthy()
        busy.control("burn", threads=0)
        busy.control("deep", n=1, depth=100)
        now = watched.sees_only("truncated:cpu", profile="cpu")
        assert now.value("pprof_truncated_stack_ratio", profile="goroutine") == 0


def test_goroutines_that_can_never_run_again_are_only_leaked(watch: Watch) -> None:
    with running(go.build(go.VERSIONS[-1])) as leaking, watch(leaking) as watched:
        watched.healthy()
        leaking.control("leak", how="lost", n=3)
        now = watched.sees_only("leaked", profile="goroutineleak")
        assert now.value("pprof_leaked_goroutines") == 3


@exercises(coverage)
def test_on_windows_too_64_hertz_is_only_bad_coverage(busy_on_windows: Target, watch: Watch) -> None:
    with watch(busy_on_windows) as watched:
        # Windows builds also sample a thread that waits for a processor: on a busy machine, more than used CPU time.
        coverage = watched.healthy().value("pprof_cpu_coverage_ratio") or 1
        watched.proxy.change(thinned(0.64 / max(1, coverage)), "profile")
        watched.sees_only_again("cpu_coverage", profile="cpu")


@exercises(blocked_and_gc)
def test_on_windows_threads_in_system_calls_are_nothing_bad(program_on_windows: Target, watch: Watch) -> None:
    try:
        with watch(program_on_windows) as watched:
            watched.healthy()
            program_on_windows.control("syscall", n=4)
            watched.ever_only(NOTHING, lambda now: (now.value("pprof_cpu_blocked_samples_total") or 0) > 500)
    finally:
        program_on_windows.control("reset")
