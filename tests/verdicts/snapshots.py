"""Snapshots of targets, by what was measured of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pprof_exporter.catalog import Family, Reason, content, quality, sampling
from pprof_exporter.health import KNOWN_BUGS, Reading, TickAudit
from pprof_exporter.profile import System
from pprof_exporter.scrape.state.cgroup_limits import Throttling
from pprof_exporter.scrape.state.counters import LatestFailure
from pprof_exporter.scrape.state.gc_state import Collections, GcCpu
from pprof_exporter.scrape.state.growth import Growing
from pprof_exporter.store import Comparison, Epoch, Fingerprint, Summary
from pprof_exporter.verdicts import TargetSnapshot, Verdict, verdicts
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
    return TargetSnapshot(
        up=True, fetches={name: FetchSummary(LatestFailure(reason) if reason else None, good, busy, bad, 0.01)}
    )


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


def timed(median: float | None, took: float = 0.01, name: str = "heap") -> TargetSnapshot:
    """A target of which a profile was fetched several times, or fewer than three with None."""
    fetches = FetchSummary(None, 5, 0, 0, 0.01, median)
    return replace(seen(name, took=took), fetches={name: fetches})


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


def of_mode(mode: str, snapshot: TargetSnapshot, thresholds: dict[str, float] | None = None) -> Verdict:
    return next(found for found in verdicts(snapshot, thresholds) if found.failure_mode.id == mode)
