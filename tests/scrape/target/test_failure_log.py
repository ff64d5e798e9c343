"""A target that fails has few lines in the log, and they say what happened."""

from __future__ import annotations

import logging

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.failure_log import ANOTHER_EVERY, MOST_AT_ONCE, FailureLog
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of

HOUR = 3600.0


@pytest.fixture
def log(clock: FakeClock) -> FailureLog:
    return FailureLog(clock.steady)


async def test_a_reason_is_logged_once_and_then_each_hour_with_its_count(clock: FakeClock, log: FailureLog) -> None:
    lines = []
    for _ in range(3 * 60 + 1):
        lines += [log.failed(profile, Reason.TRUNCATED) for profile in ("heap", "allocs")]
        await clock.advance(60)
    told = [line for line in lines if line is not None]
    assert told[0] == {}
    assert [line["minutes"] for line in told[1:]] == [60, 120, 180]
    assert told[1] == {"failures": 121, "minutes": 60, "profiles": "allocs,heap"}


async def test_another_reason_is_logged_at_once_and_takes_the_place_of_the_one_before(
    clock: FakeClock, log: FailureLog
) -> None:
    assert log.failed("heap", Reason.TRUNCATED) == {}
    assert log.failed("heap", Reason.CLOSED) == {}
    await clock.advance(120)
    assert log.succeeded("heap") == [{"reason": "closed", "failures": 1, "minutes": 2}]
    assert log.succeeded("heap") == []


async def test_a_reason_ends_with_the_last_profile_that_failed_for_it(clock: FakeClock, log: FailureLog) -> None:
    for profile in ("heap", "allocs", "heap"):
        log.failed(profile, Reason.TRUNCATED)
    assert log.succeeded("heap") == []
    await clock.advance(600)
    assert log.succeeded("allocs") == [{"reason": "truncated", "failures": 3, "minutes": 10}]


async def test_a_target_that_changes_all_the_time_has_few_lines_and_a_count_of_those_left_out(
    clock: FakeClock, log: FailureLog
) -> None:
    lines: list[dict[str, object]] = []
    for number in range(1440):
        failed = log.failed("heap", (Reason.CLOSED, Reason.TRUNCATED, Reason.HTML)[number % 3])
        lines += [failed] if failed is not None else []
        lines += log.succeeded("heap") if number % 2 else []
        await clock.advance(10)
    assert MOST_AT_ONCE < len(lines) <= MOST_AT_ONCE + 4 * HOUR / ANOTHER_EVERY
    assert any(line.get("more") for line in lines)


async def test_an_hour_of_a_target_that_is_down_is_three_lines(
    clock: FakeClock, fetcher: FakeFetcher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pprof_exporter")
    fetcher.faults[""] = lambda: FetchError(Reason.CONNECT, "no TCP connection")
    pool = pool_of(clock, fetcher, "shop:1")
    await clock.advance(HOUR - 60)
    assert [record.message for record in caplog.records] == ["fetch failed"]
    del fetcher.faults[""]
    await clock.advance(HOUR)
    await pool.close(0)
    assert [record.message for record in caplog.records] == ["fetch failed", "fetches succeed again", "target is up"]
    ended: dict[str, object] = vars(caplog.records[1])["fields"]
    assert (ended["reason"], ended["minutes"]) == ("connect", 59)


async def test_every_failure_is_there_at_debug_level(
    clock: FakeClock, fetcher: FakeFetcher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pprof_exporter")
    fetcher.faults[""] = lambda: FetchError(Reason.CONNECT, "no TCP connection")
    pool = pool_of(clock, fetcher, "shop:1")
    await clock.advance(HOUR)
    await pool.close(0)
    assert len([record for record in caplog.records if record.message == "fetch failed"]) > 100
