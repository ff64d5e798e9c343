"""The exporter does not judge the latency of others while it is slow itself."""

from __future__ import annotations

import asyncio
import math

import pytest

from pprof_exporter.scrape.state.exporter_load import ExporterLoad
from tests.scrape.fakes import FakeClock


@pytest.fixture
def load(clock: FakeClock) -> ExporterLoad:
    return ExporterLoad(clock)


def test_timers_on_time_are_no_load(load: ExporterLoad, clock: FakeClock) -> None:
    for _ in range(100):
        load.timer_fired(0.2)
        clock.time += 0.5
    assert not load.overloaded


def test_one_late_timer_is_a_pause_and_two_are_a_pattern(load: ExporterLoad, clock: FakeClock) -> None:
    load.timer_fired(0.3)
    assert not load.overloaded
    clock.time += 11
    load.timer_fired(0.3)
    assert not load.overloaded
    clock.time += 9
    load.timer_fired(0.3)
    assert load.overloaded


def test_a_very_late_timer_is_enough(load: ExporterLoad) -> None:
    load.timer_fired(1.1)
    assert load.overloaded


def test_requests_that_were_under_way_are_waited_for(load: ExporterLoad, clock: FakeClock) -> None:
    load.timer_fired(5)
    clock.time += 89
    assert load.overloaded
    clock.time += 2
    assert not load.overloaded


@pytest.mark.parametrize(
    ("used", "limit", "overloaded"), [(900, 1000, False), (901, 1000, True), (10**6, math.inf, False)]
)
def test_descriptors_that_run_out_are_an_overload(
    load: ExporterLoad, used: int, limit: float, *, overloaded: bool
) -> None:
    load.descriptors(used, limit)
    assert load.overloaded is overloaded
    load.descriptors(10, limit)
    assert not load.overloaded


async def test_the_delay_of_a_timer_is_measured_and_told(load: ExporterLoad, clock: FakeClock) -> None:
    lags: list[float] = []
    measuring = asyncio.create_task(load.measure(lags.append))
    await clock.advance(2)
    assert lags == [0.0] * 4
    # The loop is busy for two seconds: a timer that was due meanwhile fires that much later.
    clock.time += 2
    await clock.advance(0.5)
    assert max(lags) == pytest.approx(2, abs=0.5)
    assert load.overloaded
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
