"""What the exporter itself lacks changes nothing of what is known and shown of a target."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.probing.prober import Overloaded
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.verdicts import Level, snapshot_of, verdicts
from tests.scrape.fakes import REFUSED, FakeClock, FakeFetcher, pool_of
from tests.scrape.probing.fakes import PatientFetcher, probe, prober_of

TARGET = "shop:6060"


def lacking() -> ExporterExhausted:
    return ExporterExhausted(ExhaustedResource.DESCRIPTORS, "[Errno 24] Too many open files", counted=True)


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    fetcher.stamps = True
    pool = pool_of(clock, fetcher, TARGET, stacks=True)
    await clock.advance(150)
    yield pool
    await pool.close(0)


def known(state: TargetState, now: float) -> dict[str, object]:
    """All that could be held against the target."""
    return {
        "up": state.up,
        "why": state.index_problem,
        "hangs": dict(state.wedge.hangs),
        "slow": state.canary.is_slow(),
        "failures": Counter({name: counters.outcomes[Outcome.FAILURE] for name, counters in state.counters.items()}),
        "failures of the latest": {name: counters.last_failure for name, counters in state.counters.items()},
        "skipped": {name: Counter(counters.skipped) for name, counters in state.counters.items()},
        "processes": state.processes,
        "findings": [finding.alert for verdict in verdicts(snapshot_of(state, now)) for finding in verdict.findings],
        "audits": Counter(state.sampling_clock.outcomes),
    }


async def test_a_target_that_was_well_stays_so_while_the_exporter_lacks_descriptors(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher, caplog: pytest.LogCaptureFixture
) -> None:
    state = pool.states[0]
    before, asked = known(state, clock.time), fetcher.asked.total()
    caplog.clear()
    fetcher.faults[TARGET] = lacking
    await clock.advance(120)
    assert fetcher.asked.total() - asked > 15, "it is tried at every turn, without back-off"
    assert known(state, clock.time) == before
    assert caplog.records == [], "the client has one line for all of it"
    fetcher.faults.clear()
    await clock.advance(120)
    assert known(state, clock.time) == before


async def test_a_target_that_is_down_stays_so_and_one_that_was_not_seen_is_unknown(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    state = pool.states[0]
    fetcher.faults[TARGET] = REFUSED
    await clock.advance(120)
    assert (state.up, state.index_problem) == (False, Reason.CONNECT)
    fetcher.faults[TARGET] = lacking
    await clock.advance(120)
    assert (state.up, state.index_problem) == (False, Reason.CONNECT)

    fetcher.faults["new:1"] = lacking
    other = pool_of(clock, fetcher, "new:1")
    await clock.advance(120)
    assert other.states[0].up is None
    assert all(
        verdict.level not in (Level.WARNING, Level.CRITICAL)
        for verdict in verdicts(snapshot_of(other.states[0], clock.time))
    )
    await other.close(0)


@pytest.mark.parametrize("path", ["cmdline", "metrics", "trace", "mutex_debug1", "heap_debug1", "heap", "profile"])
async def test_each_single_request_that_the_exporter_could_not_make_leaves_no_trace(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher, path: str
) -> None:
    state = pool.states[0]
    state.sampling_clock.audit_due = True
    before = known(state, clock.time)
    fetcher.faults[f"{TARGET}/{path}"] = lacking
    await clock.advance(100)
    assert known(state, clock.time) == before | {"audits": Counter(state.sampling_clock.outcomes)}
    assert state.sampling_clock.outcomes[Outcome.FAILURE] == 0
    assert state.sampling_clock.audit_due is (path == "trace")


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (MemoryError, ExhaustedResource.MEMORY),
        (lambda: RuntimeError("can't start new thread"), ExhaustedResource.THREADS),
    ],
)
async def test_a_profile_that_cannot_be_decoded_for_lack_of_memory_or_threads_is_no_bad_profile(
    pool: Pool,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    resource: ExhaustedResource,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error()

    before = known(pool.states[0], clock.time)
    monkeypatch.setattr("pprof_exporter.scrape.target.collector.observe", fail)
    await clock.advance(100)
    assert known(pool.states[0], clock.time) == before
    assert pool.supervisor.troubles.exhausted[resource] > 5
    assert pool.internal_errors == 0


async def test_a_probe_that_could_not_look_is_no_result_of_its_target(
    clock: FakeClock,
) -> None:
    fetcher = PatientFetcher(clock)
    prober = prober_of(clock, fetcher)
    fetcher.faults[TARGET] = lacking
    with pytest.raises(Overloaded, match="no file descriptors are free"):
        await probe(clock, prober)
    fetcher.faults.clear()
    assert (await probe(clock, prober)).state.up


def test_the_error_names_the_limit() -> None:
    assert (
        f"({os.strerror(errno.EMFILE)}; the limit of open files is "
        in ExporterExhausted(ExhaustedResource.DESCRIPTORS, os.strerror(errno.EMFILE)).detail
    )
    assert issubclass(ExporterExhausted, FetchError)
