"""Each failure mode: when it is told, when it nearly is, and when nothing can be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pprof_exporter.catalog import Family, Reason, content, quality, sampling
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.health import KNOWN_BUGS, Reading, TickAudit
from pprof_exporter.profile import System
from pprof_exporter.rules import ALERTS
from pprof_exporter.scrape.state.cgroup_limits import Throttling
from pprof_exporter.scrape.state.gc_state import Collections, GcCpu
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.store import Change, Comparison, Epoch, Fingerprint, Summary
from pprof_exporter.verdicts import BAD as BAD_LEVELS
from pprof_exporter.verdicts import VERDICT_CHECKS, Level, Note, TargetSnapshot, Verdict, verdicts, worst_level
from pprof_exporter.verdicts.snapshot import FetchSummary, LatencySummary, ProfileSnapshot

MIB = 2**20


def cpu(*readings: tuple[Family, float | None], samples: int = 400, stacks: int = 20) -> TargetSnapshot:
    """A target of which one CPU profile was read."""
    sums = {
        content.CPU_SAMPLES: float(samples),
        content.CPU_SAMPLED: samples / 100,
        content.CPU_PROFILED: 5.0,
    }
    seen = ProfileSnapshot(0.01, stacks, sums, tuple(Reading(family, value) for family, value in readings))
    return TargetSnapshot(up=True, system=System.LINUX, profiles={"cpu": seen})


def covered(coverage: float | None, used: float | None = 4.0, **how: Any) -> TargetSnapshot:
    rate = None if coverage is None else 100 * coverage
    return cpu((sampling.CPU_USED, used), (sampling.CPU_COVERAGE, coverage), (sampling.CPU_RATE, rate), **how)


def several_times(snapshot: TargetSnapshot, *earlier: TargetSnapshot) -> TargetSnapshot:
    """The latest CPU profile after others: two like it, or these."""
    latest = snapshot.profiles["cpu"]
    before = tuple(one.profiles["cpu"] for one in earlier or (snapshot, snapshot))
    return replace(snapshot, profiles={"cpu": replace(latest, earlier=before)})


def window(error: float) -> TargetSnapshot:
    """A CPU profile of 5 s that is longer than requested by `error`."""
    snapshot = cpu((quality.CLOCK_SKEW, 0.0), (quality.WINDOW_ERROR, error))
    latest = snapshot.profiles["cpu"]
    sums = {**latest.sums, content.CPU_PROFILED: 5.0 + error}
    return replace(snapshot, profiles={"cpu": replace(latest, sums=sums)})


def audited(processors: float | None = 1.0, **figures: Any) -> TargetSnapshot:
    usual = {
        "period": 0.01,
        "samples": 100,
        "ticks": 100,
        "interleaved": False,
        "intervals": (0.01,) * 99,
        "buckets": None,
        "gaps": 0,
        "gap_seconds": 0.0,
        "longest": 0.01,
        "mean": 0.01,
        "stddev": 0.002,
        "median": 0.01,
        "p99": 0.014,
        "late_ratio": 0.05,
        "rate": 100.0,
        "drift": None,
    }
    return TargetSnapshot(audit=TickAudit(**(usual | figures)), audit_processors=processors)  # type: ignore[arg-type]


def seen(
    name: str, *readings: tuple[Family, float | None], took: float = 0.01, records: int = 10, **sums: float
) -> TargetSnapshot:
    """A target of which one profile was read."""
    families = {"leaked": content.LEAKED_GOROUTINES, "goroutines": content.PROFILED_GOROUTINES}
    profile = ProfileSnapshot(
        took,
        records,
        {families[key]: value for key, value in sums.items()},
        tuple(Reading(family, value) for family, value in readings),
    )
    return TargetSnapshot(up=True, system=System.LINUX, profiles={name: profile})


def fetched(
    name: str = "heap", reason: Reason | None = None, *, good: int = 5, busy: int = 0, bad: int = 0
) -> TargetSnapshot:
    return TargetSnapshot(up=True, fetches={name: FetchSummary(reason, "", good, busy, bad, 0.01)})


def collecting(
    share: float,
    *,
    busy: float,
    forced: int = 0,
    least_fill: float | None = None,
    per_hour: float = 100,
    **known: Any,
) -> TargetSnapshot:
    """Two hours of a target that keeps `busy` processors busy; of 100 collections `forced` were requested."""
    recent = GcCpu(60_000 * busy, share * 60_000 * busy, 600 * busy, 600)
    return TargetSnapshot(gc_cpu=recent, collections=Collections(100, forced, least_fill, per_hour), **known)


def threads(created: int, *, in_system_calls: int = 0, processors: float | None = None) -> TargetSnapshot:
    """A target with so many threads, and goroutines in system calls."""
    states = Reading(quality.GOROUTINE_STATES, in_system_calls, (("state", "syscall"),))
    return TargetSnapshot(
        processors=processors,
        profile_counts={"goroutine": 6},
        profiles={
            "threadcreate": ProfileSnapshot(0.01, 2, {content.THREADS_CREATED: created}, ()),
            "goroutine": ProfileSnapshot(0.01, 9, {}, (states,)),
        },
    )


def contended(waiting: float | None) -> TargetSnapshot:
    """A target whose goroutines wait for locks."""
    on = {"block": True, "mutex": True}
    return TargetSnapshot(contention=on, waiting_for_locks=waiting, lock_holders=("main.put", "main.get"))


def computing(processors: float) -> TargetSnapshot:
    """A CPU profile of a target that keeps so many processors busy."""
    sums = {content.CPU_SAMPLED: 5 * processors, content.CPU_PROFILED: 5.0}
    return TargetSnapshot(profiles={"cpu": ProfileSnapshot(0.01, 9, sums, ())})


def throttled(recent: Throttling) -> TargetSnapshot:
    """A target with a CPU limit and a quick canary."""
    quick = LatencySummary(20, 0.005)
    return TargetSnapshot(canary_at_rest=quick, canary_profiled=quick, throttling=recent)


def timed(median: float | None, took: float = 0.01) -> TargetSnapshot:
    """A target of which the heap was fetched several times, or fewer than three with None."""
    fetches = FetchSummary(None, "", 5, 0, 0, 0.01, median)
    return replace(seen("heap", took=took), fetches={"heap": fetches})


def with_cpu(snapshot: TargetSnapshot) -> TargetSnapshot:
    return replace(snapshot, profiles=cpu().profiles)


def epoch() -> Epoch:
    return Epoch(id=1, service="shop", fingerprint=Fingerprint(), first_seen=0.0, last_seen=0.0)


def compared(
    signal: str,
    was: float,
    now: float,
    count: int = 50,
    *,
    control: float | None = None,
    load: float | None = None,
    **known: Any,
) -> TargetSnapshot:
    before, after = (Summary(count, value, 0, value, value, value, value, value) for value in (was, now))
    groups = [{} if ratio is None else {signal: ratio} for ratio in (control, load)]
    comparison = Comparison(epoch(), epoch(), 0.0, {signal: (before, after)}, *groups)
    return TargetSnapshot(comparison=comparison, **known)


MANY_GOROUTINES = replace(seen("goroutine", goroutines=2000), differences={"goroutines": 1.3})
GROWN = TargetSnapshot(profile_counts={"heap": 6, "goroutine": 6})


def heap_of(*mebibytes: float, limit: float | None = None) -> TargetSnapshot:
    """The live heap of the last six spans of two minutes, and the memory limit, in MiB."""
    parts = tuple(MIB * one for one in mebibytes)
    return replace(GROWN, recent={Growing.HEAP: parts}, memory_limit=None if limit is None else MIB * limit)


BUGS = {bug.id.removeprefix("golang/go#"): bug for bug in KNOWN_BUGS}

BAD: list[tuple[str, Level, str, TargetSnapshot]] = [
    ("F1", Level.WARNING, "PprofCpuCoverageLow", several_times(covered(0.54))),
    ("F1", Level.CRITICAL, "PprofCpuCoverageLow", covered(0.44)),
    ("F1", Level.WARNING, "PprofCpuCoverageLow", several_times(covered(0.39, used=1.0))),
    ("F1", Level.WARNING, "PprofCpuCoverageLow", several_times(replace(covered(0.79), system=System.WINDOWS))),
    ("F1", Level.CRITICAL, "PprofCpuCoverageLow", replace(covered(0.44), system=System.WINDOWS)),
    ("F1", Level.CRITICAL, "PprofCpuNoSamples", covered(0.0, samples=0, stacks=0)),
    ("F1", Level.WARNING, "PprofCpuTimer64Hz", replace(covered(0.64), system=System.WINDOWS)),
    ("F2", Level.WARNING, "PprofSamplesLost", cpu((quality.CPU_LOST, 5), (quality.CPU_OPAQUE, 0))),
    ("F2", Level.WARNING, "PprofSamplesOpaque", cpu((quality.CPU_LOST, 0), (quality.CPU_OPAQUE, 90))),
    ("F2", Level.CRITICAL, "PprofSamplesOpaque", cpu((quality.CPU_LOST, 0), (quality.CPU_OPAQUE, 300))),
    ("F3", Level.WARNING, "PprofSamplingJitter", audited(stddev=0.006)),
    ("F3", Level.WARNING, "PprofSamplingJitter", audited(late_ratio=0.25)),
    ("F3", Level.WARNING, "PprofSamplingJitter", audited(processors=None, rate=64.0)),
    ("F4", Level.WARNING, "PprofClockSkew", seen("heap", (quality.CLOCK_SKEW, -3.0))),
    ("F4", Level.CRITICAL, "PprofClockSkew", seen("heap", (quality.CLOCK_SKEW, 40.0))),
    (
        "F4",
        Level.WARNING,
        "PprofTimeWentBackwards",
        seen("heap", (quality.CLOCK_SKEW, 0.0), (quality.CLOCK_REGRESSIONS, 1)),
    ),
    ("F4", Level.WARNING, "PprofWindowWrong", several_times(window(-0.1))),
    ("F4", Level.WARNING, "PprofWindowWrong", several_times(window(1.5))),
    ("F4", Level.WARNING, "PprofWindowWrong", window(-3.0)),
    ("F4", Level.WARNING, "PprofWindowWrong", window(2.6)),
    ("F5", Level.WARNING, "PprofFetchSlow", timed(3.0)),
    ("F5", Level.WARNING, "PprofFetchSlow", timed(0.3)),
    ("F5", Level.WARNING, "PprofProfileCostly", TargetSnapshot(system=System.WINDOWS, differences={"modules": 0.3})),
    ("F5", Level.WARNING, "PprofProfileCostly", replace(seen("heap", records=5000), differences={"heap": 1.3})),
    ("F5", Level.WARNING, "PprofProfileCostly", MANY_GOROUTINES),
    ("F6", Level.CRITICAL, "PprofTargetWedged", TargetSnapshot(hangs={"goroutine": True})),
    ("F6", Level.WARNING, "PprofCpuThrottled", replace(throttled(Throttling(1000, 300)), cpu_limit=0.1)),
    (
        "F6",
        Level.WARNING,
        "PprofProfilingPerturbs",
        TargetSnapshot(canary_at_rest=LatencySummary(20, 0.005), canary_profiled=LatencySummary(20, 0.2)),
    ),
    ("F7", Level.WARNING, "PprofCanarySlow", TargetSnapshot(canary_at_rest=LatencySummary(20, 0.6))),
    ("F8", Level.WARNING, "PprofSymbolsMissing", seen("heap", (quality.UNSYMBOLIZED, 0.05))),
    ("F8", Level.CRITICAL, "PprofSymbolsMissing", seen("heap", (quality.UNSYMBOLIZED, 0.2))),
    ("F10", Level.WARNING, "PprofGoroutinesLeaked", seen("goroutineleak", leaked=3)),
    (
        "F10",
        Level.WARNING,
        "PprofGoroutinesGrowFast",
        TargetSnapshot(recent={Growing.GOROUTINES: (500, 900, 1300, 1700, 2100, 2500)}),
    ),
    ("F12", Level.WARNING, "PprofHeapGrowsFast", heap_of(80, 90, 100, 110, 120, 130, limit=512)),
    ("F12", Level.CRITICAL, "PprofHeapGrowsFast", heap_of(260, 270, 280, 290, 300, 310, limit=512)),
    ("F12", Level.WARNING, "PprofHeapGrowsFast", heap_of(500, 540, 580, 620, 660, 700)),
    (
        "F12",
        Level.WARNING,
        "PprofRestartsAfterGrowth",
        TargetSnapshot(restarts_after_growth={Growing.HEAP: 2, Growing.GOROUTINES: 0}),
    ),
    ("F11", Level.WARNING, "PprofGcPressure", cpu((quality.CPU_GC, 200))),
    ("F11", Level.WARNING, "PprofGcPressure", collecting(0.44, busy=0.1)),
    ("F11", Level.WARNING, "PprofGcPressure", collecting(0.44, busy=0.04, cpu_limit=0.1)),
    ("F11", Level.WARNING, "PprofGcPressure", collecting(0.28, busy=0.5, forced=90)),
    ("F11", Level.WARNING, "PprofGcPressure", collecting(0.28, busy=0.5, gogc=0.05)),
    ("F11", Level.WARNING, "PprofGcPressure", collecting(0.28, busy=0.5, least_fill=0.96, gogc=0.05)),
    ("F10", Level.WARNING, "PprofThreadsHigh", threads(404, in_system_calls=400, processors=2)),
    ("F10", Level.WARNING, "PprofThreadsHigh", threads(404, in_system_calls=400)),
    ("F10", Level.CRITICAL, "PprofThreadsHigh", threads(5001)),
    ("F11", Level.WARNING, "PprofProfilerMemoryHigh", TargetSnapshot(profiler_memory=300 * MIB)),
    ("F13", Level.CRITICAL, "PprofTargetDown", TargetSnapshot(up=False, down=Reason.CONNECT)),
    ("F13", Level.CRITICAL, "PprofNotMounted", TargetSnapshot(up=False, down=Reason.NOT_MOUNTED)),
    ("F13", Level.WARNING, "PprofTargetRestarts", replace(fetched(), restarts=4)),
    ("F13", Level.WARNING, "PprofFetchFailing", fetched(reason=Reason.TIMEOUT_BODY)),
    ("F13", Level.WARNING, "PprofDecodeFailing", fetched(reason=Reason.HTML)),
    ("F14", Level.WARNING, "PprofProfilerConflict", fetched("cpu", busy=3)),
    ("F15", Level.WARNING, "PprofProfileRejected", with_cpu(fetched("cpu", Reason.WRITE_TIMEOUT))),
    ("F16", Level.WARNING, "PprofSeveralProcesses", TargetSnapshot(several=True)),
    ("F18", Level.WARNING, "PprofLockContention", contended(67)),
    ("F18", Level.WARNING, "PprofLockContention", replace(contended(None), waited_since_start=67)),
    ("F18", Level.WARNING, "PprofLockContention", replace(contended(67), profiles=computing(1.0).profiles)),
    ("F20", Level.WARNING, "PprofUpgradeRegression", compared("fetch_duration_seconds:heap", 0.01, 0.2)),
    ("F20", Level.WARNING, "PprofUpgradeRegression", compared("allocated_bytes_per_second", 2e7, 7e7, load=1.1)),
    ("F20", Level.WARNING, "PprofUpgradeRegression", compared("heap_inuse_bytes", 2e8, 4e8, control=1.1, load=1.2)),
    ("F20", Level.WARNING, "PprofUpgradeRegression", compared("gc_samples_ratio", 0.08, 0.3)),
    ("F20", Level.WARNING, "PprofUpgradeRegression", compared("cpu_coverage_ratio", 1.0, 0.64)),
    (
        "F20",
        Level.WARNING,
        "PprofUpgradeRegression",
        compared("tick_rate_hertz", 100, 64, count=3, audit_processors=1.0),
    ),
    (
        "F19",
        Level.WARNING,
        "PprofExporterDeferring",
        TargetSnapshot(fetches={"heap": replace(fetched().fetches["heap"], overdue=3)}),
    ),
]

WELL: list[tuple[str, TargetSnapshot]] = [
    ("F1", covered(0.56)),
    ("F1", covered(0.41, used=1.0)),
    ("F1", replace(covered(0.95), system=System.WINDOWS)),
    ("F1", covered(1.3)),
    ("F1", several_times(covered(0.3), covered(0.97), covered(0.97))),
    ("F1", several_times(covered(0.3, used=1.0), covered(0.97), covered(0.97))),
    ("F2", cpu((quality.CPU_LOST, 0), (quality.CPU_OPAQUE, 70))),
    ("F2", several_times(*(cpu((quality.CPU_OPAQUE, opaque)) for opaque in (130, 10, 10)))),
    ("F3", audited()),
    ("F4", cpu((quality.CLOCK_SKEW, 1.9), (quality.CLOCK_REGRESSIONS, 0), (quality.WINDOW_ERROR, 0.2))),
    ("F4", several_times(window(-0.0657), window(0.001), window(0.0))),
    ("F4", several_times(window(1.5), window(0.1), window(0.0))),
    ("F5", seen("heap", took=0.24)),
    ("F6", TargetSnapshot(canary_at_rest=LatencySummary(20, 0.005), canary_profiled=LatencySummary(20, 0.09))),
    ("F6", throttled(Throttling(1000, 240))),
    ("F6", throttled(Throttling(500, 400))),
    ("F7", TargetSnapshot(canary_at_rest=LatencySummary(20, 0.4))),
    ("F8", seen("heap", (quality.UNSYMBOLIZED, 0.0))),
    ("F9", seen("heap", (quality.TRUNCATED, 0.05))),
    ("F10", TargetSnapshot(profile_counts={"goroutine": 6})),
    ("F10", threads(404, in_system_calls=3)),
    ("F10", threads(140, in_system_calls=130)),
    ("F10", threads(404, in_system_calls=400, processors=64)),
    ("F11", cpu((quality.CPU_GC, 100))),
    ("F11", several_times(*(cpu((quality.CPU_GC, spent)) for spent in (200, 60, 60)))),
    ("F11", collecting(0.38, busy=0.5)),
    ("F11", collecting(0.8, busy=0.01)),
    ("F11", collecting(0.8, busy=0.16, per_hour=36)),
    ("F11", collecting(0.8, busy=0.01, forced=90, least_fill=0.96)),
    ("F11", collecting(0.28, busy=0.5, gogc=0.3)),
    ("F11", collecting(0.18, busy=0.5, forced=90, least_fill=0.96)),
    ("F11", collecting(0.28, busy=0.5, forced=10, least_fill=0.78)),
    ("F10", replace(GROWN, recent={Growing.GOROUTINES: (500, 600, 700, 800, 900, 1000)})),
    ("F10", replace(GROWN, recent={Growing.GOROUTINES: (500, 20500, 20501, 20502, 20503, 20504)})),
    ("F10", replace(GROWN, recent={Growing.GOROUTINES: (40000, 40200, 40400, 40600, 40800, 41000)})),
    ("F12", TargetSnapshot(profile_counts={"heap": 6})),
    ("F12", heap_of(80, 84, 88, 92, 96, 100, limit=512)),
    ("F12", heap_of(80, 110, 125, 132, 136, 138, limit=512)),
    ("F12", heap_of(80, 90, 100, 110, 120, 130, limit=4096)),
    ("F12", heap_of(500, 520, 540, 560, 580, 600)),
    ("F12", replace(GROWN, restarts_after_growth={Growing.HEAP: 1})),
    ("F13", fetched()),
    ("F13", replace(fetched(), restarts=3)),
    ("F14", fetched("cpu", busy=1)),
    ("F15", with_cpu(fetched("goroutineleak", Reason.UNKNOWN_PROFILE))),
    ("F16", TargetSnapshot(fingerprinted=True, changes={Change.GO: 9000.0})),
    ("F17", TargetSnapshot(system=System.WINDOWS)),
    ("F18", replace(contended(None), waited_since_start=0.2)),
    ("F18", contended(0.0001)),
    ("F18", contended(0.9)),
    ("F18", replace(contended(3), profiles=computing(4.0).profiles)),
    ("F19", TargetSnapshot(profiling=0.08, budget=0.15)),
    ("F20", compared("fetch_duration_seconds:heap", 0.01, 0.04)),
    ("F20", compared("fetch_duration_seconds:cpu", 0.01, 0.2)),
    ("F20", compared("tick_rate_hertz", 100, 64)),
    ("F20", compared("allocated_bytes_per_second", 2e7, 7e7)),
    ("F20", compared("allocated_bytes_per_second", 2e7, 7e7, load=1.9)),
    ("F20", compared("profiled_goroutines", 300, 900, control=1.8, load=1)),
    ("F20", compared("cpu_used_processors", 1, 3, load=3)),
    (
        "F20",
        compared("mutex_seconds_per_second", 0.1, 0.9, load=1, changed={Change.GO: ("1.21.13", "1.24.11")}),
    ),
]

UNKNOWN: list[tuple[str, TargetSnapshot]] = [
    *((mode, TargetSnapshot()) for mode in VERDICT_CHECKS),
    ("F1", covered(None, None)),
    ("F1", covered(None, 0.3)),
    ("F1", replace(covered(0.3, used=1.0), system=System.WINDOWS)),
    ("F1", replace(covered(0.85), system=System.WINDOWS)),
    ("F1", cpu((sampling.CPU_UNDECIDED, 2.0), (sampling.CPU_COVERAGE, None))),
    ("F1", covered(0.54)),
    ("F1", covered(0.39, used=1.0)),
    ("F1", covered(0.0, used=1.5, samples=0, stacks=0)),
    ("F1", replace(covered(0.79), system=System.WINDOWS)),
    ("F1", replace(covered(0.64), system=System.WINDOWS, go_version="1.27.3")),
    ("F2", cpu((quality.CPU_LOST, 1), samples=10)),
    ("F4", window(-0.0657)),
    ("F4", window(1.5)),
    ("F4", several_times(window(1.5), window(0.1))),
    ("F11", cpu((quality.CPU_GC, 120), samples=200)),
    ("F3", TargetSnapshot(audit_failure="there is no such page (404)")),
    ("F3", TargetSnapshot(audit_off="audits are switched off")),
    ("F3", audited(processors=0.5, stddev=0.009, late_ratio=0.5)),
    ("F3", audited(stddev=None, late_ratio=None)),
    ("F8", cpu((quality.UNSYMBOLIZED, 0.5), samples=10)),
    ("F10", TargetSnapshot(profile_counts={"goroutine": 5})),
    ("F15", TargetSnapshot(up=False)),
    ("F17", TargetSnapshot()),
    ("F18", TargetSnapshot(contention={"block": True, "mutex": True})),
    ("F18", TargetSnapshot(contention={"block": True, "mutex": None}, waited_since_start=0)),
    ("F20", compared("fetch_duration_seconds:heap", 0.01, 0.2, count=9)),
]


def of_mode(mode: str, snapshot: TargetSnapshot, thresholds: dict[str, float] | None = None) -> Verdict:
    return next(found for found in verdicts(snapshot, thresholds) if found.failure_mode.id == mode)


@pytest.mark.parametrize(
    ("mode", "level", "alert", "snapshot"), BAD, ids=[f"{row[0]}-{row[2]}-{row[1]}" for row in BAD]
)
def test_what_is_wrong_is_said_with_the_alert_that_would_tell_of_it(
    mode: str, level: Level, alert: str, snapshot: TargetSnapshot
) -> None:
    found = of_mode(mode, snapshot)

    assert (found.level, found.findings[0].alert) == (level, alert)
    assert found.said.endswith(".")


NOTES: list[tuple[str, str, TargetSnapshot]] = [
    ("F1", "PprofKnownBug", replace(covered(1.0), bugs=(BUGS["61665"],))),
    ("F6", "PprofKnownBug", TargetSnapshot(bugs=(BUGS["80982"],))),
    ("F9", "PprofStacksTruncated", seen("heap", (quality.TRUNCATED, 0.2))),
    ("F10", "PprofGoroutineGrowth", TargetSnapshot(growth={content.GOROUTINE_GROWTH: {"main.leak": 40}})),
    ("F12", "PprofHeapGrowth", TargetSnapshot(growth={content.HEAP_GROWTH: {"main.cache": 9 * MIB}})),
    ("F15", "PprofKnownBug", replace(with_cpu(fetched()), bugs=(BUGS["62358"],))),
    ("F16", "PprofUpgraded", TargetSnapshot(changes={Change.OPERATING_SYSTEM: 600.0})),
    ("F16", "", TargetSnapshot(fingerprinted=True, system=System.LINUX, go_version="1.24+")),
    ("F17", "PprofForeignModule", TargetSnapshot(system=System.WINDOWS, foreign=("guard.dll",))),
    ("F18", "", TargetSnapshot(contention={"block": False, "mutex": True})),
]


@pytest.mark.parametrize(("mode", "alert", "snapshot"), NOTES, ids=[f"{row[0]}-{row[1]}" for row in NOTES])
def test_what_needs_no_action_is_a_note(mode: str, alert: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert found.findings == ()
    assert found.level in (Level.HEALTHY, Level.UNKNOWN)
    assert [note.alert for note in found.notes] == [alert]
    assert all(note.said.endswith(".") for note in found.notes)
    assert worst_level(verdicts(snapshot)) in (Level.HEALTHY, Level.UNKNOWN)


_REFUSED = with_cpu(fetched("cpu", Reason.WRITE_TIMEOUT))
_EFFECTS: list[tuple[str, str, str, TargetSnapshot]] = [
    ("61665", "F1", "PprofCpuTimer64Hz", replace(covered(0.64), system=System.WINDOWS)),
    ("35057", "F1", "PprofCpuCoverageLow", several_times(covered(0.5, 15.0))),
    ("44343", "F3", "PprofSamplingJitter", audited(stddev=0.006)),
    ("33250", "F5", "PprofProfileCostly", MANY_GOROUTINES),
    ("77975", "F13", "PprofTargetRestarts", replace(fetched(), restarts=4)),
    ("80982", "F6", "PprofTargetWedged", TargetSnapshot(hangs={"goroutine": True})),
    ("43296", "F8", "PprofSymbolsMissing", seen("heap", (quality.UNSYMBOLIZED, 0.05))),
    ("62358", "F15", "PprofProfileRejected", _REFUSED),
]


@pytest.mark.parametrize(("bug", "mode", "alert", "snapshot"), _EFFECTS, ids=[row[0] for row in _EFFECTS])
def test_the_finding_of_its_effect_names_a_known_bug(bug: str, mode: str, alert: str, snapshot: TargetSnapshot) -> None:
    found = verdicts(replace(snapshot, bugs=(BUGS[bug],)))

    named = {finding.alert for verdict in found for finding in verdict.findings if f"golang/go#{bug}: " in finding.said}
    assert named == {alert}
    assert of_mode(mode, replace(snapshot, bugs=(BUGS[bug],))).level in BAD_LEVELS
    assert not [note for verdict in found for note in verdict.notes if bug in note.said]


def test_a_known_bug_is_not_blamed_for_what_it_cannot_cause() -> None:
    """35057 takes more than 2.5 processors, 33250 many goroutines, 62358 a window that is refused."""
    for bug, mode, snapshot in (
        ("35057", "F1", several_times(covered(0.5))),
        ("33250", "F5", TargetSnapshot(system=System.WINDOWS, differences={"modules": 0.3})),
        ("62358", "F15", with_cpu(fetched("heap", Reason.NOT_MOUNTED))),
    ):
        found = verdicts(replace(snapshot, bugs=(BUGS[bug],)))
        assert bug not in of_mode(mode, replace(snapshot, bugs=(BUGS[bug],))).said
        assert [verdict.failure_mode.id for verdict in found if verdict.notes] == [BUGS[bug].mode]


def test_a_bug_whose_opposite_is_measured_is_a_note_that_says_so() -> None:
    (note,) = of_mode("F15", replace(with_cpu(fetched("cpu")), bugs=(BUGS["62358"],))).notes

    assert note.said.endswith("Windows of 5 s are served.")


def test_known_bugs_name_a_failure_mode_and_the_alerts_of_their_effect() -> None:
    alerts = {alert.name for alert in ALERTS}

    for bug in KNOWN_BUGS:
        assert bug.mode in VERDICT_CHECKS
        assert bug.effects
        assert bug.effects <= alerts


@pytest.mark.parametrize(("mode", "snapshot"), WELL)
def test_what_is_measured_and_within_its_limits_is_healthy(mode: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert (found.level, found.findings) == (Level.HEALTHY, ())
    assert found.said.endswith(".")


@pytest.mark.parametrize(("mode", "snapshot"), UNKNOWN)
def test_what_cannot_be_measured_is_unknown_and_says_why(mode: str, snapshot: TargetSnapshot) -> None:
    found = of_mode(mode, snapshot)

    assert found.level is Level.UNKNOWN
    assert found.said.endswith(".")


def test_every_failure_mode_has_a_verdict_and_is_tried_here_in_all_three_ways() -> None:
    modes = [mode.id for mode in FAILURE_MODES]

    assert list(VERDICT_CHECKS) == modes
    assert (
        {row[0] for row in BAD} | {row[0] for row in NOTES}
        == {row[0] for row in WELL}
        == {row[0] for row in UNKNOWN}
        == set(modes)
    )


def test_a_finding_names_an_alert_of_its_failure_mode() -> None:
    modes = {(alert.name, alert.mode) for alert in ALERTS}

    for mode, _, alert, _ in BAD:
        if alert == "PprofExporterDeferring":  # it is told of the exporter, which is who waits
            continue
        assert (alert, mode) in modes


def test_every_alert_that_one_look_can_see_is_named() -> None:
    # These speak of hours, or of many targets.
    over_time = {"PprofProfileStale", "PprofFleetRegression"}

    alerts = {alert.name for alert in ALERTS if not alert.name.startswith("PprofExporter")}
    assert ({row[2] for row in BAD} | {row[1] for row in NOTES if row[1]}) - {
        "PprofExporterDeferring"
    } == alerts - over_time


def test_long_profiles_do_not_make_a_light_program_busy() -> None:
    def over(profiled: float, coverage: float, used: float) -> Level:
        snapshot = covered(coverage, used)
        latest = snapshot.profiles["cpu"]
        profile = replace(latest, sums={**latest.sums, content.CPU_PROFILED: profiled})
        return of_mode("F1", several_times(replace(snapshot, profiles={"cpu": profile}))).level

    assert over(5.0, 0.5, 4.8) is Level.WARNING
    assert over(60.0, 0.5, 4.8) is Level.HEALTHY
    assert over(60.0, 0.35, 4.8) is Level.WARNING
    assert over(60.0, 0.35, 1.8) is Level.HEALTHY


def test_what_light_servers_lose_on_linux_is_explained_and_no_fault() -> None:
    light = of_mode("F1", covered(0.74, used=1.1))

    assert light.level is Level.HEALTHY
    assert "does not sample a burst between two kernel ticks" in light.said
    assert "burst" not in of_mode("F1", covered(0.97)).said


def test_a_verdict_has_no_other_limits_than_the_alert() -> None:
    assert of_mode("F5", timed(3.0), {"fetch_very_slow": 4.0, "fetch_slow": 4.0}).level is Level.HEALTHY


def test_one_slow_fetch_is_no_finding() -> None:
    found = of_mode("F5", timed(None, took=3.0))

    assert (found.level, found.findings) == (Level.UNKNOWN, ())
    assert "took 3 s, which one fetch does not prove" in found.said
    assert of_mode("F5", timed(0.01, took=3.0)).level is Level.HEALTHY


@pytest.mark.parametrize(
    "snapshot",
    [
        TargetSnapshot(system=System.LINUX, differences={"modules": 0.4}),
        TargetSnapshot(differences={"modules": 0.4}),
        replace(seen("heap", records=4999), differences={"heap": 9.0}),
        replace(seen("goroutine", goroutines=1999), differences={"goroutines": 9.0}),
        replace(seen("goroutine", goroutines=20_000), differences={"goroutines": 0.7}),
        replace(seen("heap", records=50_000), differences={"heap": 0.7}),
    ],
)
def test_a_cause_that_cannot_be_is_not_blamed(snapshot: TargetSnapshot) -> None:
    assert of_mode("F5", snapshot).findings == ()


def test_virus_scanners_are_named_only_where_modules_are_listed() -> None:
    assert "virus" in of_mode("F5", TargetSnapshot(system=System.WINDOWS, differences={"modules": 0.3})).said
    assert "virus" not in of_mode("F5", MANY_GOROUTINES).said


def test_the_worst_finding_speaks_for_its_failure_mode() -> None:
    found = of_mode("F4", seen("heap", (quality.CLOCK_SKEW, 40.0), (quality.CLOCK_REGRESSIONS, 1.0)))

    assert [finding.level for finding in found.findings] == [Level.CRITICAL, Level.WARNING]
    assert found.said == found.findings[0].said


def test_a_longer_stack_limit_of_a_new_go_is_no_regression() -> None:
    was_cut = compared("truncated_stack_ratio:heap", 0.1, 0.5)

    assert of_mode("F20", was_cut).level is Level.WARNING
    assert of_mode("F20", replace(was_cut, changed={Change.GO: ("1.22.10", "1.23.9")})).level is Level.HEALTHY


@pytest.mark.parametrize(
    ("snapshot", "figures"),
    [
        (
            compared("allocated_bytes_per_second", 20 * 2**20, 70 * 2**20, load=1.1),
            "from 20 MiB per second to 70 MiB per second; the CPU time that the target uses changed by a factor of 1.1",
        ),
        (compared("heap_inuse_bytes", 2**28, 2**29, control=1.2), "from 256 MiB to 512 MiB; on targets that were"),
        (compared("mutex_seconds_per_second", 0, 0.75, load=1), "from 0 s per second to 0.75 s per second; the CPU"),
        (compared("cpu_used_processors", 0.5, 1.6, control=1), "from 0.5 processors to 1.6 processors; on targets"),
        (compared("gc_samples_ratio", 0.08, 0.3), "from 8 % to 30 %."),
    ],
)
def test_what_a_program_uses_is_told_in_its_unit(snapshot: TargetSnapshot, figures: str) -> None:
    (finding,) = of_mode("F20", snapshot).findings
    assert figures in finding.said


def test_an_upgrade_is_one_sentence_with_the_values_before_and_after() -> None:
    values = {Change.BINARY: ("shop a1b2", "shop c3d4"), Change.GO: ("1.24.11", "1.27.3")}
    found = of_mode("F16", TargetSnapshot(at=86_400.0, changes=dict.fromkeys(values, 300.0), changed=values))

    said = "Changed 1970-01-01 23:55 UTC: build shop a1b2 to shop c3d4 and Go 1.24.11 to 1.27.3."
    assert found.notes == (Note(said, "PprofUpgraded"),)


def test_foreign_modules_are_not_applicable_where_profiles_do_not_list_them() -> None:
    found = of_mode("F17", TargetSnapshot(system=System.LINUX))

    assert (found.level, found.findings) == (Level.NOT_APPLICABLE, ())
    assert worst_level((found, of_mode("F1", covered(1.0)))) is Level.HEALTHY


@pytest.mark.parametrize(
    ("control", "level"), [(None, Level.WARNING), (0.1, Level.WARNING), (9.0, Level.WARNING), (11.0, Level.HEALTHY)]
)
def test_what_became_slower_for_all_is_no_regression(control: float | None, level: Level) -> None:
    found = of_mode("F20", compared("fetch_duration_seconds:heap", 0.01, 0.2, control=control))

    assert found.level is level


@pytest.mark.parametrize("row", [row for row in BAD if row[0] in ("F5", "F7")], ids=lambda row: row[2])
def test_no_latency_is_judged_while_the_exporter_is_overloaded(row: tuple[str, Level, str, TargetSnapshot]) -> None:
    mode, _, _, snapshot = row

    assert of_mode(mode, replace(snapshot, overloaded=True)).level is Level.UNKNOWN


def test_while_the_exporter_is_overloaded_other_signals_are_still_judged() -> None:
    slow, lossy = compared("fetch_duration_seconds:heap", 0.01, 0.2), compared("cpu_coverage_ratio", 0.98, 0.64)

    assert of_mode("F20", replace(slow, overloaded=True)).level is Level.UNKNOWN
    assert of_mode("F20", replace(lossy, overloaded=True)).level is Level.WARNING
    assert of_mode("F6", TargetSnapshot(hangs={"goroutine": True}, overloaded=True)).level is Level.CRITICAL


def test_of_several_processes_only_the_address_is_judged() -> None:
    wrong = replace(covered(0.5), several=True, up=True)

    assert {found.failure_mode.id for found in verdicts(wrong) if found.level is not Level.UNKNOWN} == {"F16"}
    assert of_mode("F13", replace(wrong, up=False)).level is Level.CRITICAL


def test_a_target_that_is_down_between_restarts_is_both() -> None:
    down = TargetSnapshot(up=False, down=Reason.CONNECT, restarts=9)

    found = of_mode("F13", down)
    assert [finding.alert for finding in found.findings] == ["PprofTargetDown", "PprofTargetRestarts"]
    assert "restarted 9 times" in found.findings[1].said
    assert len(of_mode("F13", replace(down, several=True)).findings) == 1


def test_the_worst_of_all_is_unknown_only_where_nothing_is_known() -> None:
    assert worst_level(verdicts(TargetSnapshot())) is Level.UNKNOWN
    assert worst_level(verdicts(fetched())) is Level.HEALTHY
    assert worst_level(verdicts(TargetSnapshot(up=False, down=Reason.CONNECT))) is Level.CRITICAL


@pytest.mark.parametrize(
    ("reason", "lately", "found"),
    [
        (Reason.CLOSED, (*[None] * 59, Reason.CLOSED), False),
        (Reason.CLOSED, (*[None] * 50, *[Reason.CLOSED] * 7), True),
        (None, (*[None, None, Reason.CLOSED] * 5, None), True),
        (None, (*[Reason.CLOSED] * 20, *[None] * 40), False),
        (Reason.HTML, (*[None] * 9, Reason.HTML), False),
        (Reason.HTML, (*[None] * 9, *[Reason.HTML] * 3), True),
        (Reason.CLOSED, (Reason.CLOSED,), False),
        (Reason.CLOSED, None, True),
    ],
)
def test_failed_fetches_are_a_finding_within_the_limits_of_the_alert(
    reason: Reason | None, lately: tuple[Reason | None, ...] | None, *, found: bool
) -> None:
    fetches = replace(fetched().fetches["heap"], reason=reason, lately=lately)
    verdict = of_mode("F13", replace(fetched(), fetches={"heap": fetches}))
    assert bool(verdict.findings) is found
    assert bool(verdict.notes) is (reason is not None and not found), (
        "a failure that is no finding is told all the same"
    )


def test_a_handler_that_may_sleep_is_unknown_and_no_finding() -> None:
    silent = replace(
        fetched(reason=Reason.TIMEOUT_HEADER).fetches["heap"], lately=(Reason.TIMEOUT_HEADER,), undecided=True
    )
    verdict = of_mode("F13", replace(fetched(), fetches={"mutex": silent}))
    assert (verdict.level, verdict.findings) == (Level.UNKNOWN, ())
    assert "wait longer" in verdict.said


def test_the_runtime_is_not_blamed_while_the_world_can_be_stopped() -> None:
    silent = fetched(reason=Reason.TIMEOUT_HEADER).fetches["heap"]
    alone = of_mode("F13", replace(fetched(), fetches={"mutex": silent})).said
    beside = of_mode("F13", replace(fetched(), fetches={"mutex": silent, **fetched("goroutine").fetches})).said
    assert "unable to stop" in alone
    assert "unable to stop" not in beside
