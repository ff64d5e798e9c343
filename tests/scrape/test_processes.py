"""A resident target over restarts, upgrades, a replaced file, and a load balancer; replies are recordings."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target import context
from pprof_exporter.store import Change
from pprof_exporter.verdicts import BAD, snapshot_of, verdicts
from tests.proto import profile_pb2
from tests.recorded import RECORDINGS
from tests.scrape.fakes import MISSING, REFUSED, FakeClock, FakeFetcher, failing, pool_of

OLD, NEW = RECORDINGS / "linux-go1.24.11", RECORDINGS / "linux-go1.27.3"
TARGET = "shop:6060"


@pytest.fixture(autouse=True)
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_INLINE_BYTES", 1 << 30)


@pytest.fixture
def fetcher(clock: FakeClock) -> FakeFetcher:
    fetcher = FakeFetcher(clock)
    fetcher.folder, fetcher.stamps = OLD, True
    return fetcher


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher, TARGET)
    yield pool
    await pool.close(0)


@pytest.fixture
def state(pool: Pool) -> TargetState:
    return pool.states[0]


def page(folder: Any, start: float) -> bytes:
    """The metrics page of a program that started at this time."""
    text = (folder / "metrics.txt").read_bytes()
    return re.sub(rb"(process_start_time_seconds) \S+", rb"\1 %r" % start, text)


def built(body: bytes, build: str) -> bytes:
    """A profile of another build."""
    message = profile_pb2.Profile()
    message.ParseFromString(gzip.decompress(body))
    message.string_table.append(build.encode())
    message.mapping[0].build_id = len(message.string_table) - 1
    return gzip.compress(message.SerializeToString(), 1)


def restart(fetcher: FakeFetcher, clock: FakeClock, folder: Any) -> None:
    """The program of a folder starts now."""
    fetcher.folder = folder
    fetcher.bodies["metrics"] = page(folder, clock.time)


def changes(state: TargetState) -> dict[Change, int]:
    return dict(+state.identity.changes)


async def test_an_upgrade_is_told_within_two_minutes_once_and_whole(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, OLD)
    await clock.advance(300)
    restart(fetcher, clock, NEW)
    await clock.advance(120)
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}
    assert state.identity.last_event is not None
    assert state.identity.last_event.values[Change.GO] == ("1.24.11", "1.27.3")
    assert state.identity.process.restarts == 1
    assert state.identity.comparison is not None
    await clock.advance(1800)
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}


async def test_an_upgrade_is_told_while_cpu_profiles_fail(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, NEW)
    await clock.advance(300)
    fetcher.faults["profile"] = failing(FetchError(Reason.HTTP_5XX, "HTTP 500", 500))
    restart(fetcher, clock, RECORDINGS / "linux-go1.21.13")
    await clock.advance(120)
    assert state.identity.go_version == "1.21.13"
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}


async def test_a_restart_ends_what_the_process_before_taught(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, OLD)
    await clock.advance(400)
    assert state.memstats.latest is not None
    assert state.sampling_clock.latest is not None
    fetches, windows = state.counters["heap"].outcomes.total(), state.profiles["cpu"].profiled
    fetcher.faults = dict.fromkeys(("heap", "heap_debug1", "profile", "mutex", "block", "threadcreate"), REFUSED)
    restart(fetcher, clock, OLD)
    await clock.advance(90)
    assert state.processes == 1
    assert state.memstats.latest is None
    assert state.sampling_clock.latest is None
    assert state.profiles["heap"].latest is None
    assert not any(state.profiles["heap"].top_functions)
    assert state.contention.mutex is None
    assert (state.counters["heap"].outcomes.total() >= fetches, state.profiles["cpu"].profiled >= windows) == (
        True,
    ) * 2
    assert state.identity.process.restarts == 1
    assert changes(state) == {}


async def test_without_a_page_a_restart_is_seen_by_the_records_on_the_index_page(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    fetcher.faults["metrics"] = MISSING
    fetcher.bodies[""] = (OLD / "index_leaks.html").read_bytes()
    await clock.advance(300)
    fetcher.bodies.clear()
    await clock.advance(240)
    assert state.identity.process.restarts == 1


async def test_a_program_whose_file_was_replaced_is_the_same_process_until_it_restarts(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, OLD)
    await clock.advance(300)
    build = state.identity.build
    for kind in ("goroutine", "heap", "allocs", "threadcreate"):
        fetcher.bodies[kind] = built((OLD / f"{kind}.pb.gz").read_bytes(), "of the new package")
    await clock.advance(300)
    assert (state.processes, state.identity.build, changes(state)) == (0, build, {})
    fetcher.bodies.clear()
    restart(fetcher, clock, NEW)
    await clock.advance(120)
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}


async def test_another_build_is_another_process_if_the_start_time_cannot_be_read(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, OLD)
    await clock.advance(300)
    fetcher.folder, fetcher.faults["metrics"] = NEW, REFUSED
    await clock.advance(240)
    assert state.processes == 1
    # The index page of the new one proves at least Go 1.26.
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}


async def test_a_cpu_profile_of_the_process_before_is_not_taken_for_one_of_the_new(
    clock: FakeClock, fetcher: FakeFetcher, state: TargetState
) -> None:
    restart(fetcher, clock, OLD)
    await clock.advance(300)
    while not fetcher.running["profile"]:
        await clock.advance(0.25)
    late = (OLD / "cpu_burn1.pb.gz").read_bytes()
    restart(fetcher, clock, NEW)
    fetcher.bodies["profile"] = late
    fetcher.bodies["goroutine"] = (NEW / "goroutine.pb.gz").read_bytes()
    await clock.advance(5)
    fetcher.bodies.pop("profile")
    await clock.advance(300)
    assert changes(state) == {Change.BINARY: 1, Change.GO: 1}
    assert not state.identity.process.several


class RoundRobin(FakeFetcher):
    """Two replicas behind one address, by turns."""

    def __init__(self, clock: FakeClock, folders: tuple[Any, Any], *, with_page: bool = True) -> None:
        super().__init__(clock)
        self.stamps = True
        starts = (clock.time - 1000, clock.time - 2000)
        self._turns = cycle(zip(folders, starts, strict=True))
        if not with_page:
            self.faults["metrics"] = MISSING

    async def get(self, *arguments: Any, **named: Any) -> Reply:
        self.folder, start = next(self._turns)
        self.bodies["metrics"] = page(self.folder, start)
        return await super().get(*arguments, **named)


# Without a page, two recordings of one program cannot be told apart: their counters are the same.
@pytest.mark.parametrize(
    ("other", "with_page"),
    [(OLD, True), (NEW, True), (NEW, False)],
    ids=["one build", "two builds", "two builds without a page"],
)
async def test_a_load_balancer_is_told_and_nothing_else(clock: FakeClock, other: Any, *, with_page: bool) -> None:
    fetcher = RoundRobin(clock, (OLD, other), with_page=with_page)
    pool = pool_of(clock, fetcher, TARGET)
    state = pool.states[0]
    await clock.advance(180)
    assert state.identity.process.several
    known = {epoch.id: pool.store.summaries(epoch.id) for epoch in pool.store.epochs(TARGET)}
    await clock.advance(600)
    assert {epoch.id: pool.store.summaries(epoch.id) for epoch in pool.store.epochs(TARGET)} == known
    assert changes(state) == {}
    assert state.identity.process.restarts == 0
    found = verdicts(snapshot_of(state, clock.now()))
    assert [(verdict.failure_mode.id, finding.alert) for verdict in found for finding in verdict.findings] == [
        ("F16", "PprofSeveralProcesses")
    ]
    await pool.close(0)


async def test_latencies_of_an_overloaded_exporter_are_neither_judged_nor_kept(
    clock: FakeClock, pool: Pool, state: TargetState
) -> None:
    await clock.advance(120)
    assert state.identity.epoch is not None
    before = pool.store.summaries(state.identity.epoch.id)
    for _ in range(60):
        pool.load.timer_fired(5.0)
        await clock.advance(10)
    assert snapshot_of(state, clock.now()).overloaded
    after = pool.store.summaries(state.identity.epoch.id)
    latencies = [signal for signal in after if signal.startswith(("fetch_duration", "canary_duration"))]
    assert latencies
    assert all(after[signal] == before[signal] for signal in latencies)
    assert after["unsymbolized_ratio:heap"].count > before["unsymbolized_ratio:heap"].count
    found = verdicts(snapshot_of(state, clock.now()))
    assert not [verdict for verdict in found if verdict.failure_mode.id in ("F5", "F7") and verdict.level in BAD]
    await clock.advance(120)
    assert not snapshot_of(state, clock.now()).overloaded
