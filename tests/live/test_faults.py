"""Whatever a target does wrong has its own reason, ends no loop, and prints no traceback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import exporter, free_port, go
from tests.lab.exporter import Exporter, Scrape
from tests.lab.target import Target, running

PATHS = ("heap", "allocs", "goroutine", "block", "mutex", "threadcreate")

FETCH = {
    "404": "not_mounted",
    "404-unknown": "unknown_profile",
    "302": "http_3xx",
    "401": "unauthorized",
    "403": "unauthorized",
    "405": "method",
    "500": "http_5xx",
    "503": "http_5xx",
    "write-timeout": "write_timeout",
    "hang": "timeout_header",
    "hang-body": "timeout_body",
    "trickle": "timeout_body",
    "truncated": "truncated",
    "reset": "closed",
    "close": "closed",
    "204": "empty",
    "not-http": "not_http",
}
DECODE = {
    "truncated-gzip": "truncated",
    "html": "html",
    "text": "text",
    "empty": "empty",
    "bomb": "too_large",
    "invalid": "invalid",
    "trace": "proto",
}
# One fault per path at a time, since failures of one profile make the exporter wait longer for the next try.
MODES = (*FETCH, *DECODE)
GROUPS = [MODES[first : first + len(PATHS)] for first in range(0, len(MODES), len(PATHS))]
HARMLESS = ("wrong-type", "encoded", "slow")


@pytest.fixture(autouse=True)
def _clean(newest: Target) -> Iterator[None]:
    yield
    newest.control("reset")


def quiet(program: Exporter) -> None:
    assert "Traceback" not in program.log
    assert program.process.poll() is None


def content(now: Scrape) -> list[object]:
    """What speaks of the target as it is now; each profile goes when it is too old, so not all at the same moment."""
    names = ("pprof_goroutines", "pprof_heap_inuse_bytes", "pprof_allocated_bytes_total")
    return [series for name in names for series in now.find(name)]


def count(now: Scrape, family: str, path: str, **labels: str) -> float:
    return now.value(family, profile=path, **labels) or 0


@pytest.mark.parametrize("modes", GROUPS, ids=",".join)
def test_each_bad_reply_has_its_own_reason(newest: Target, fast: Path, modes: tuple[str, ...]) -> None:
    for path, mode in zip(PATHS, modes, strict=False):
        newest.fault(path, mode)
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        for path, mode in zip(PATHS, modes, strict=False):
            family = "pprof_fetch_failures_total" if mode in FETCH else "pprof_decode_failures_total"
            reason = FETCH.get(mode) or DECODE[mode]
            now = program.wait_for(lambda now: count(now, "pprof_fetches_total", path, outcome="failure") > 0)  # noqa: B023
            assert count(now, family, path, reason=reason) > 0, (mode, program.log)
            assert now.find("pprof_profile_samples", profile=path) == []
        assert program.scrape().value("pprof_up") == 1
        quiet(program)


@pytest.mark.parametrize("mode", HARMLESS)
def test_an_unusual_reply_that_holds_a_profile_is_read(newest: Target, fast: Path, mode: str) -> None:
    newest.fault("heap", mode, ms=200)
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        now = program.wait_for(lambda now: count(now, "pprof_fetches_total", "heap", outcome="success") > 0)
        assert count(now, "pprof_fetches_total", "heap", outcome="failure") == 0
        quiet(program)


def test_random_bytes_and_an_endless_body_end_as_failures(newest: Target, fast: Path) -> None:
    newest.fault("heap", "garbage")
    newest.fault("allocs", "endless")
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        for path in ("heap", "allocs"):
            program.wait_for(lambda now: count(now, "pprof_fetches_total", path, outcome="failure") > 0)  # noqa: B023
        quiet(program)


def test_another_profiler_is_busy_and_no_failure(newest: Target, fast: Path) -> None:
    newest.fault("profile", "busy")
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        now = program.wait_for(lambda now: count(now, "pprof_fetches_total", "cpu", outcome="busy") > 0)
        assert count(now, "pprof_fetches_total", "cpu", outcome="failure") == 0
        assert now.find("pprof_fetch_failures_total", profile="cpu") == []


def test_a_window_longer_than_the_write_timeout_of_an_old_server_says_so(fast: Path) -> None:
    with (
        running(go.build("1.21.13"), "-write-timeout", "500ms") as old,
        exporter.running(old.url, f"--config.file={fast}") as program,
    ):
        now = program.wait_for(lambda now: count(now, "pprof_fetch_failures_total", "cpu", reason="write_timeout") > 0)
        assert now.value("pprof_up") == 1


def test_a_service_without_pprof_is_not_mounted_and_not_a_decode_error(fast: Path) -> None:
    with (
        running(go.build(go.VERSIONS[-1]), "-pprof=false") as bare,
        exporter.running(bare.url, f"--config.file={fast}") as program,
    ):
        now = program.wait_for(lambda now: now.value("pprof_up") == 0)
        assert count(now, "pprof_fetch_failures_total", "index", reason="not_mounted") > 0
        assert now.find("pprof_decode_failures_total") == []


def test_profiles_without_an_index_page_are_read_and_the_target_is_up(newest: Target, fast: Path) -> None:
    newest.fault("index", "404")
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        program.wait_for(lambda now: count(now, "pprof_fetches_total", "index", outcome="failure") > 2)
        now = program.wait_for(lambda now: count(now, "pprof_fetches_total", "heap", outcome="success") > 1)
        assert now.value("pprof_up") == 1
        assert now.find("pprof_profile_available") == []


def test_a_killed_target_is_down_its_content_vanishes_and_a_new_one_is_up(fast: Path) -> None:
    port = free_port()
    program_of_target = go.build(go.VERSIONS[-1])
    listen = ("-listen", f"127.0.0.1:{port}")
    with exporter.running(f"127.0.0.1:{port}", f"--config.file={fast}") as program:
        now = program.wait_for(lambda now: now.value("pprof_up") == 0)
        assert count(now, "pprof_fetch_failures_total", "index", reason="connect") > 0
        with running(program_of_target, *listen) as first:
            first.control("heap", mib=64)
            program.wait_for(lambda now: (now.value("pprof_allocated_bytes_total") or 0) > 2**25)
            profiled = program.wait_for(lambda now: (now.value("pprof_cpu_profiled_seconds_total") or 0) > 0)
            first.kill()
            gone = program.wait_for(lambda now: now.value("pprof_up") == 0 and not content(now))
        kept = gone.value("pprof_cpu_profiled_seconds_total")
        assert kept is not None
        assert kept >= (profiled.value("pprof_cpu_profiled_seconds_total") or 0)
        with running(program_of_target, *listen):
            again = program.wait_for(
                lambda now: now.value("pprof_up") == 1 and now.value("pprof_allocated_bytes_total") is not None
            )
            # Counted since the start of the target: Prometheus sees a counter that was reset.
            assert (again.value("pprof_allocated_bytes_total") or 0) < 2**25
        quiet(program)


def test_a_hanging_target_is_down_and_does_not_hold_up_another(newest: Target, fast: Path) -> None:
    with (
        running(go.build(go.VERSIONS[0])) as hanging,
        exporter.running(hanging.url, newest.url, f"--config.file={fast}") as program,
    ):
        name, other = hanging.url[7:], newest.url[7:]

        def fetched(now: Scrape) -> float:
            return now.value("pprof_fetches_total", target=other, profile="heap", outcome="success") or 0

        program.wait_for(lambda now: now.value("pprof_up", target=name) == 1)
        hanging.pause()
        try:
            stuck = program.wait_for(lambda now: now.value("pprof_up", target=name) == 0)
            reasons = {labels["reason"] for labels, _ in stuck.find("pprof_fetch_failures_total", target=name)}
            assert "timeout_header" in reasons
            program.wait_for(lambda now: fetched(now) >= fetched(stuck) + 3, within=10)
        finally:
            hanging.resume()
        program.wait_for(lambda now: now.value("pprof_up", target=name) == 1)
        quiet(program)


def test_stopping_waits_for_no_hanging_fetch(newest: Target, fast: Path) -> None:
    newest.fault("*", "hang")
    with exporter.running(newest.url, f"--config.file={fast}") as program:
        program.wait_for(lambda now: now.value("pprof_exporter_fetches_in_flight") == 1)
        asked = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - asked < 10
        assert "Traceback" not in program.log
