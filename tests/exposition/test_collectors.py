"""Series are those of the catalogue, true, and gone when they are no longer known."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.catalog import FAMILIES, MetricType, Reason
from pprof_exporter.config import FileSource, Job, parse_target
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from pprof_exporter.exposition import ConfigState, ExporterParts, PprofCollector
from pprof_exporter.profile import KINDS, READER, TargetMetrics
from pprof_exporter.scrape import TargetState
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.discovery import Discovery
from pprof_exporter.scrape.identity.process import ProcessEvidence
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits, CpuBandwidth
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime, CpuUse
from tests.conftest import RECORDINGS
from tests.evidence_store.saved import bodies, finding
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of, settings, times
from tests.scrape.probing.fakes import prober_of

Series = dict[str, list[tuple[dict[str, str], float]]]


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher, tmp_path: Path) -> AsyncIterator[Pool]:
    shop = parse_target("shop:1", labels={"team": "blue"})
    pool = pool_of(clock, fetcher, shop, "gone:1", "new:1", stacks=True, storage=tmp_path / "epochs.sqlite")
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    fetcher.takes["new:1/"] = 100_000
    fetcher.faults["shop:1/block"] = failing(FetchError(Reason.HTTP_5XX, "HTTP 500"))
    fetcher.bodies["mutex"] = b"<html>"
    yield pool
    await pool.close(0)


def collector(pool: Pool, clock: FakeClock, parts: ExporterParts | None = None) -> PprofCollector:
    return PprofCollector(pool, ConfigState(successful=True, loaded_at=5), clock, parts)


def collect(pool: Pool, clock: FakeClock, parts: ExporterParts | None = None) -> Series:
    series: Series = {}
    for metric in collector(pool, clock, parts).collect():
        for sample in metric.samples:
            series.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return series


def of(series: Series, name: str, target: str = "shop:1") -> list[tuple[dict[str, str], float]]:
    return [(labels, value) for labels, value in series.get(name, []) if labels.get("target") == target]


async def test_every_series_has_exactly_the_labels_of_its_family_and_those_of_its_target(
    pool: Pool, clock: FakeClock
) -> None:
    await clock.advance(130)
    declared = {}
    for family in FAMILIES:
        labels = set(family.labels)
        if family.type is MetricType.HISTOGRAM:
            declared[f"{family.name}_bucket"] = labels | {"le"}
            declared[f"{family.name}_count"] = declared[f"{family.name}_sum"] = labels
        else:
            declared[family.name] = labels
    for name, found in collect(pool, clock).items():
        for having, _ in found:
            own = {"team"} if having.get("target") == "shop:1" else set()
            assert set(having) == declared[name] | own, name


def test_the_exporter_says_which_reader_it_has(pool: Pool, clock: FakeClock) -> None:
    ((build, _),) = collect(pool, clock)["pprof_exporter_build_info"]
    assert build["reader"] == READER.name


@pytest.fixture
async def discovery(clock: FakeClock, tmp_path: Path) -> AsyncIterator[Discovery]:
    """A job whose targets are listed in files; what they come to is not watched."""
    discovery = Discovery(lambda _: None, clock, tmp_path)
    discovery.apply(replace(settings(), jobs=(Job("shop", sources=(FileSource(("*.json",), 60),)),)))
    yield discovery
    await discovery.close()


@pytest.fixture
def evidence(tmp_path: Path) -> Iterator[EvidenceStore]:
    """A folder whose profiles another store gets too."""
    evidence_store = EvidenceStore.open(tmp_path / "evidence", EvidenceRetention(), 0.0)
    evidence_store.pushed = Counter()
    yield evidence_store
    evidence_store.close()


async def test_evidence_is_counted_by_what_became_of_it(pool: Pool, clock: FakeClock, evidence: EvidenceStore) -> None:
    evidence.add(finding(), bodies(5), 0.0)
    evidence.add(finding(), [], 0.0)
    series = collect(pool, clock, ExporterParts(evidence=evidence))
    assert series["pprof_exporter_evidence_bytes"] == [({}, evidence.disk_bytes)] != [({}, 0)]
    saved = {labels["origin"]: value for labels, value in series["pprof_exporter_evidence_saved_total"]}
    assert saved == {"finding": 1, "alert": 0}
    dropped = {labels["reason"]: value for labels, value in series["pprof_exporter_evidence_dropped_total"]}
    assert dropped == {"interval": 0, "no_profile": 1, "too_large": 0, "busy": 0, "trouble": 0}
    assert not [name for name in collect(pool, clock) if "evidence" in name]


def teach_what_no_reply_here_shows(state: TargetState, clock: FakeClock) -> None:
    """What a local process, a light target or another metrics page would show."""
    # Only pages of light targets teach this, and this one has work to do.
    state.reading_cost.used(CpuUse(0.1, CpuSource.METRICS), 5)
    for _ in range(20):
        reading = CpuTime(1.0, clock.time, None, CpuSource.METRICS)
        state.reading_cost.record(reading, reading)
    state.memory_limits.of_page(2.0**30)
    for _ in range(3):
        state.delays.by_profile["mutex"].answered(5.0, 0.004, timeout=10.0)
    state.settings_of_runtime.learn_page(TargetMetrics(None, None, None, None, None, gogc=1.0))
    for periods in (0, 10):
        limited = CpuBandwidth("/a", 0.5, periods, periods, periods / 10)
        state.cgroup.record(CgroupLimits(None, (limited,)), clock.now())


async def test_every_family_of_the_catalogue_comes_from_somewhere(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher, discovery: Discovery, evidence: EvidenceStore
) -> None:
    fetcher.cpu_seconds = 0.6
    fetcher.faults.pop("shop:1/block")
    found: set[str] = set()
    for recorded in ("linux-go1.27.3", "windows-go1.21.13", "windows-go1.24.11"):
        fetcher.folder = RECORDINGS / recorded
        await clock.advance(700)
        for name in ("control-1", "control-2", "control-3"):
            for _ in range(20):
                pool.store.control.observe(name, "fetch_duration_seconds:heap", 0.01, clock.now())
        found |= {name.removesuffix("_bucket") for name in collect(pool, clock)}
    fetcher.bodies["profile"] = (fetcher.folder / "cpu_syscall4.pb.gz").read_bytes()
    fetcher.bodies["mutex"] = (fetcher.folder / "mutex_contended.pb.gz").read_bytes()
    await clock.advance(700)
    for factor in range(1, 8):
        for name in ("goroutine", "heap"):
            fetcher.bodies[name] = times((fetcher.folder / f"{name}.pb.gz").read_bytes(), factor * 10)
        await clock.advance(30)
    found |= set(collect(pool, clock))
    agent = (RECORDINGS / "windows-go1.24.11" / "goroutine_agent.pb.gz").read_bytes()
    fetcher.bodies = {kind.path: agent for kind in KINDS.values()}
    fetcher.faults["shop:1/cmdline"] = failing(FetchError(Reason.TIMEOUT_HEADER, "no reply"))
    await clock.advance(130)
    for state in pool.states:
        state.identity.compare()
        teach_what_no_reply_here_shows(state, clock)
    found |= set(collect(pool, clock))
    for start in (1.0, 100.0, 1.0):
        pool.states[-1].identity.take(ProcessEvidence(clock.now(), started={"page": start}), clock.now())
    found |= set(collect(pool, clock, ExporterParts(discovery, prober_of(clock, fetcher), evidence, lambda: True)))
    assert {family.name for family in FAMILIES} - found == set()


async def test_storage_that_cannot_be_used_is_told_and_costs_nothing_else(
    clock: FakeClock, fetcher: FakeFetcher, tmp_path: Path
) -> None:
    (tmp_path / "epochs.sqlite").mkdir()
    pool = pool_of(clock, fetcher, "shop:1", storage=tmp_path / "epochs.sqlite")
    await clock.advance(10)
    series = collect(pool, clock)
    await pool.close(0)
    assert series["pprof_exporter_storage_persistent"] == [({}, 0)]
    troubles = {labels["trouble"]: value for labels, value in series["pprof_exporter_storage_troubles_total"]}
    assert troubles["unwritable"] > 0
    assert of(series, "pprof_up") == [({"target": "shop:1"}, 1)]


async def test_a_target_that_was_not_seen_yet_has_no_series_at_all(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(30)
    assert [name for name, found in collect(pool, clock).items() if of({name: found}, name, "new:1")] == []


async def test_a_target_that_is_down_has_only_what_says_so(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(100)
    series = collect(pool, clock)
    assert of(series, "pprof_up", "gone:1") == [({"target": "gone:1"}, 0)]
    assert of(series, "pprof_down_info", "gone:1") == [({"target": "gone:1", "reason": "connect"}, 1)]
    names = {name for name in series if of(series, name, "gone:1")}
    assert names == {
        "pprof_up",
        "pprof_down_info",
        "pprof_profiling_seconds_total",
        "pprof_fetches_total",
        "pprof_fetch_failures_total",
        "pprof_fetches_skipped_total",
        "pprof_response_bytes_total",
    }


async def test_failures_are_counted_once_and_by_stage(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(5)
    series = collect(pool, clock)
    blamed = {"team": "blue", "target": "shop:1"}
    assert of(series, "pprof_fetch_failures_total") == [({**blamed, "profile": "block", "reason": "http_5xx"}, 1)]
    assert of(series, "pprof_decode_failures_total") == [({**blamed, "profile": "mutex", "reason": "html"}, 1)]


async def test_content_of_a_target_that_went_away_vanishes_and_windows_stay(
    pool: Pool, clock: FakeClock, fetcher: FakeFetcher
) -> None:
    await clock.advance(10)
    before = collect(pool, clock)
    fetcher.faults["shop:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await clock.advance(300)
    after = collect(pool, clock)
    for name in (
        "pprof_goroutines",
        "pprof_heap_inuse_bytes",
        "pprof_allocated_bytes_total",
        "pprof_function_cpu_seconds",
    ):
        assert of(before, name)
        assert of(after, name) == []
    for name in ("pprof_cpu_profiled_seconds_total", "pprof_cpu_sampled_seconds_total"):
        assert of(after, name) == of(before, name) != []


async def test_series_of_a_target_that_is_no_longer_configured_are_gone(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(10)
    pool.apply(pool.settings)
    assert not [name for name, found in collect(pool, clock).items() if any("target" in labels for labels, _ in found)]


async def test_histograms_are_cumulative_and_end_in_their_count(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(100)
    series = collect(pool, clock)

    def of_heap(suffix: str) -> list[float]:
        found = of(series, f"pprof_fetch_duration_seconds_{suffix}")
        return [value for labels, value in found if labels["profile"] == "heap"]

    buckets, (count,) = of_heap("bucket"), of_heap("count")
    assert buckets == sorted(buckets)
    assert buckets[-1] == count == 4


async def test_a_query_for_names_gives_these_alone(pool: Pool, clock: FakeClock) -> None:
    await clock.advance(10)
    registry = CollectorRegistry()
    registry.register(collector(pool, clock))
    text = generate_latest(registry.restricted_registry(["pprof_up", "pprof_fetches_total"])).decode()
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert families == {"pprof_up", "pprof_fetches_total"}
