"""A CPU profile is held against the CPU time that was used, and audited only when there is a reason."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from pprof_exporter.catalog import Family, Outcome, Reason, sampling
from pprof_exporter.config import AuditWhen, ProfileSettings, Settings
from pprof_exporter.profile.goversion import GoVersion, KnownGoVersion
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target import context
from pprof_exporter.scrape.target.local_process import LocalProcess
from pprof_exporter.scrape.target.process_source import ProcessSource
from pprof_exporter.store import Store
from tests.recorded import RECORDINGS
from tests.scrape.fakes import MISSING, RECORDED, REFUSED, FakeClock, FakeFetcher, failing, settings

TARGET = "shop:6060"
PAGE = (RECORDED / "metrics.txt").read_bytes()
TIMED_OUT = failing(FetchError(Reason.TIMEOUT_BODY, "the reply did not end"))
WINDOW = 5

Start = Callable[..., TargetState]


def busy() -> FetchError:
    """A new error each time: one that is kept would keep all that was under way when it came."""
    return FetchError(Reason.BUSY, "cpu profiling already in use")


@pytest.fixture(autouse=True)
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_INLINE_BYTES", 1 << 30)


@pytest.fixture
def fetcher(clock: FakeClock) -> FakeFetcher:
    fetcher = FakeFetcher(clock)
    fetcher.cpu_seconds = 1.0
    return fetcher


@pytest.fixture
async def pools() -> AsyncIterator[list[Pool]]:
    made: list[Pool] = []
    yield made
    for pool in made:
        await pool.close(0)


@pytest.fixture
def start(clock: FakeClock, fetcher: FakeFetcher, pools: list[Pool]) -> Start:
    def begin(**changes: Any) -> TargetState:
        chosen: Settings = replace(settings(TARGET), **changes)
        pools.append(Pool(chosen, fetcher=fetcher, clock=clock, random=Random(1), store=Store.open(None, clock.time)))
        return pools[-1].states[0]

    return begin


def counted(state: TargetState, family: Family) -> dict[tuple[tuple[str, str], ...], float]:
    """What a counter of CPU profiles has come to, by its labels."""
    return {labels: value for (known, labels), value in state.profiles["cpu"].counter_totals.items() if known is family}


def gauge(state: TargetState, family: Family) -> list[float]:
    return [value for known, _, value in state.profiles["cpu"].gauges() if known is family]


def under_way() -> list[str]:
    """Names of coroutines of a CPU profile that have not ended."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    names = [getattr(coroutine, "__qualname__", "") for coroutine in coroutines]
    return [name for name in names if "CpuCollector" in name or name == "_nothing"]


async def test_the_first_profile_is_audited_and_later_ones_are_not(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    state = start()
    await clock.advance(600)
    assert fetcher.asked["profile"] >= 9
    assert fetcher.asked["trace"] == 1
    assert state.sampling_clock.outcomes == {Outcome.SUCCESS: 1}
    assert state.sampling_clock.latest is not None
    assert sum(state.sampling_clock.counts) > 50


async def test_the_trace_lies_within_the_profile(start: Start, clock: FakeClock, fetcher: FakeFetcher) -> None:
    start()
    while not fetcher.running["profile"]:
        await clock.advance(0.25)
    began = clock.time
    assert not fetcher.running["trace"]
    while not fetcher.running["trace"]:
        await clock.advance(0.25)
    assert 0.5 <= clock.time - began <= 1.5
    while fetcher.running["trace"]:
        await clock.advance(0.25)
    assert fetcher.running["profile"]


async def test_a_change_is_followed_by_an_audit(start: Start, clock: FakeClock, fetcher: FakeFetcher) -> None:
    state = start()
    await clock.advance(300)
    fetcher.bodies["metrics"] = PAGE.replace(b"go1.27.3", b"go1.28.1")
    await clock.advance(600)
    assert state.identity.changes.total() == 1
    assert fetcher.asked["trace"] == 2
    assert state.sampling_clock.outcomes == {Outcome.SUCCESS: 2}


async def test_audits_can_be_turned_off(start: Start, clock: FakeClock, fetcher: FakeFetcher) -> None:
    state = start(audit=AuditWhen.OFF)
    await clock.advance(600)
    assert fetcher.asked["trace"] == 0
    assert state.profiles["cpu"].latest is not None


async def test_audits_can_come_by_the_clock(start: Start, clock: FakeClock, fetcher: FakeFetcher) -> None:
    state = start(audit=600.0)
    await clock.advance(3600)
    assert fetcher.asked["trace"] == pytest.approx(6, abs=1)
    assert state.sampling_clock.outcomes == {Outcome.SUCCESS: fetcher.asked["trace"]}


async def test_a_window_that_is_too_short_for_a_trace_has_none(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    start(profiles={**settings().profiles, "cpu": ProfileSettings(60, 2)})
    await clock.advance(600)
    assert fetcher.asked["profile"] >= 9
    assert fetcher.asked["trace"] == 0


@pytest.mark.parametrize("fault", [TIMED_OUT, busy, None], ids=["timeout", "busy", "no trace"])
async def test_a_trace_that_fails_costs_its_own_counter_only(
    start: Start, clock: FakeClock, fetcher: FakeFetcher, fault: Callable[[], Exception] | None
) -> None:
    fetcher.bodies["trace"] = b"hello"
    if fault is not None:
        fetcher.faults["trace"] = fault
    state = start()
    await clock.advance(600)
    cpu = state.profiles["cpu"]
    assert fetcher.asked["trace"] == 1
    assert state.sampling_clock.outcomes == {Outcome.FAILURE: 1}
    assert state.sampling_clock.latest is None
    assert cpu.counters.outcomes == {Outcome.SUCCESS: fetcher.asked["profile"]}
    assert not cpu.counters.skipped


async def test_a_trace_of_old_go_is_unsupported_and_tells_the_version(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.folder = RECORDINGS / "linux-go1.21.13"
    state = start()
    await clock.advance(600)
    assert fetcher.asked["trace"] == 1
    assert state.sampling_clock.unsupported == 1
    assert not state.sampling_clock.outcomes
    assert state.profiles["cpu"].counters.outcomes == {Outcome.SUCCESS: fetcher.asked["profile"]}
    assert state.identity.go.at_least == GoVersion(1, 21)


@pytest.mark.parametrize("after", [0, 0.5, 1.5, WINDOW], ids="after {} s".format)
async def test_a_busy_profile_leaves_nothing_running(
    start: Start, clock: FakeClock, fetcher: FakeFetcher, after: float
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    fetcher.faults["profile"] = busy
    fetcher.takes["profile"] = after - WINDOW
    state = start()
    while not fetcher.asked["profile"]:
        await clock.advance(0.25)
    await clock.advance(after + 0.25)
    assert state.profiles["cpu"].counters.outcomes == {Outcome.BUSY: 1}
    assert under_way() == []
    assert not fetcher.running["trace"]
    assert state.canary.during is During.REST
    gc.collect()
    assert complaints == []


async def test_the_audit_is_left_to_the_next_profile_if_the_first_is_busy(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["profile"] = busy
    fetcher.takes["profile"] = 0.1 - WINDOW
    state = start()
    await clock.advance(30)
    assert fetcher.asked["trace"] == 0
    fetcher.faults.clear()
    fetcher.takes.clear()
    await clock.advance(600)
    assert fetcher.asked["trace"] == 1
    assert state.sampling_clock.outcomes == {Outcome.SUCCESS: 1}


async def test_an_exporter_that_stops_within_a_window_leaves_nothing_running(
    start: Start, clock: FakeClock, fetcher: FakeFetcher, pools: list[Pool]
) -> None:
    start()
    while not fetcher.running["trace"]:
        await clock.advance(0.25)
    await pools.pop().close(0)
    assert under_way() == []
    assert not fetcher.running.total()


async def test_used_seconds_come_from_the_page(start: Start, clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.cpu_seconds = 0.6
    state = start()
    await clock.advance(600)
    profiles = fetcher.asked["profile"]
    # And once at first, to identify the process.
    assert fetcher.asked["metrics"] == 2 * profiles + 1
    assert counted(state, sampling.CPU_USED) == {
        (("source", "metrics"),): pytest.approx(0.6 * WINDOW * profiles, rel=0.01)
    }
    # The recorded profile is one of 3 s of work.
    assert gauge(state, sampling.CPU_COVERAGE) == [pytest.approx(1, abs=0.05)]
    assert state.identity.go_version == "1.27.3"


async def test_what_a_page_costs_is_learned_from_a_light_target(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.cpu_seconds = 0.05
    state = start()
    await clock.advance(25 * 60)
    profiles = fetcher.asked["profile"]
    assert profiles > 22
    # Nothing is known of the load before the first profile; the next 20 begin with two readings.
    assert fetcher.asked["metrics"] == 2 * profiles + 1 + 20
    assert state.reading_cost.seconds == pytest.approx(0, abs=0.001)
    used = sum(counted(state, sampling.CPU_USED).values())
    assert used == pytest.approx(0.05 * WINDOW * profiles, rel=0.01)
    assert counted(state, sampling.CPU_COMPARED) == {(): profiles}


async def test_the_system_is_asked_before_the_target_writes_its_profile(
    start: Start, clock: FakeClock, fetcher: FakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(source: ProcessSource) -> LocalProcess:
        written = fetcher.asked["profile"] - fetcher.running["profile"]
        return LocalProcess(1, 50.0, "/shop", 0.5 * clock.time + 0.2 * written, KnownGoVersion())

    monkeypatch.setattr(ProcessSource, "_read_process", found)
    fetcher.faults["metrics"] = MISSING
    fetcher.takes["profile"] = 0.1
    state = start()
    await clock.advance(300)
    done = state.profiles["cpu"].counters.outcomes[Outcome.SUCCESS]
    assert counted(state, sampling.CPU_USED) == {(("source", "process"),): pytest.approx(0.5 * WINDOW * done, rel=0.01)}


async def test_a_restart_within_the_window_leaves_the_use_unknown(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    state = start()
    while not fetcher.running["profile"]:
        await clock.advance(0.25)
    fetcher.bodies["metrics"] = re.sub(rb"(process_start_time_seconds) 1\S+", rb"\1 1.8e+09", PAGE)
    await clock.advance(WINDOW)
    assert state.profiles["cpu"].counters.outcomes[Outcome.SUCCESS] == 1
    assert counted(state, sampling.CPU_USED) == {}
    assert gauge(state, sampling.CPU_COVERAGE) == []


async def test_without_a_page_the_profile_is_read_all_the_same(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["metrics"] = MISSING
    state = start()
    for _ in range(60):
        await clock.advance(1)
        # Whether the process runs on this machine is looked up in a thread.
        await asyncio.sleep(0.005)
    assert state.profiles["cpu"].latest is not None
    assert counted(state, sampling.CPU_USED) == {}
    assert fetcher.asked["metrics"] == 1


async def test_a_page_that_is_refused_while_the_target_restarts_leaves_one_use_unknown(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    state = start()
    await clock.advance(120)
    known, asked = fetcher.asked["profile"], fetcher.asked["metrics"]
    assert asked == 2 * known + 1
    fetcher.faults["metrics"] = REFUSED
    while fetcher.asked["metrics"] == asked:
        await clock.advance(0.25)
    fetcher.faults.clear()
    await clock.advance(120)
    done = fetcher.asked["profile"] - fetcher.running["profile"]
    used = sum(counted(state, sampling.CPU_USED).values())
    assert used == pytest.approx(WINDOW * (done - 1), rel=0.01)


async def test_a_release_that_brings_a_page_is_asked_as_soon_as_it_is_up(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["metrics"] = MISSING
    state = start()
    await clock.advance(120)
    assert counted(state, sampling.CPU_USED) == {}
    fetcher.faults[TARGET] = REFUSED
    await clock.advance(60)
    fetcher.faults.clear()
    await clock.advance(120)
    assert counted(state, sampling.CPU_USED) != {}


async def test_a_page_that_hangs_costs_its_patience_once_for_a_profile(
    start: Start, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["metrics"] = TIMED_OUT
    start()
    while fetcher.asked["profile"] < 2:
        await clock.advance(1)
    await clock.advance(2 * WINDOW)
    assert fetcher.asked["metrics"] == 3
