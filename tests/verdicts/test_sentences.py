"""Every figure in a sentence is one of the snapshot, bounds bound, and unknown says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pprof_exporter.catalog import content, quality, sampling
from pprof_exporter.catalog.thresholds import THRESHOLDS
from pprof_exporter.health import Reading
from pprof_exporter.profile import System
from pprof_exporter.store import Change
from pprof_exporter.verdicts import Level, TargetSnapshot, verdicts
from pprof_exporter.verdicts.phrases import percent, seconds
from pprof_exporter.verdicts.snapshot import FetchSummary, LatencySummary, ProfileSnapshot
from tests.verdicts.snapshots import audited, cpu, of_mode

_NUMBER = re.compile(r"(?<![\w.#/:-])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?: (?:ms|s|%|Hz|MiB)(?!\w))?(?!\w)")
_MIB = 2**20

figures = st.floats(0.0001, 900, allow_nan=False)
shares = st.floats(0, 1)
counts = st.integers(0, 10**6)


def written(value: float) -> Iterator[str]:
    """How a sentence may write a figure."""
    yield from (seconds(abs(value)), percent(value), f"{value:.0f}", f"{value:.2g}", f"{value:g}", f"{value:.0f} Hz")
    yield from (f"{value / _MIB:.0f} MiB", f"{value / _MIB:.1f} MiB")


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[TargetSnapshot, list[float]]:
    """A snapshot with figures in every place, and all of them."""
    taken, lost, opaque = draw(st.integers(50, 9999)), draw(st.integers(0, 50)), draw(st.integers(0, 50))
    skew, cpu_skew, error, shortage = (draw(figures) for _ in range(4))
    records, goroutines = draw(counts), draw(counts)
    medians, mean = [draw(figures) for _ in range(2)], draw(figures)
    stddev, late, rate = draw(st.floats(0.0001, 0.02)), draw(shares), draw(st.floats(20, 200))
    processors = draw(st.floats(0.01, 4))
    rest, profiled = (LatencySummary(draw(st.integers(0, 99)), draw(figures)) for _ in range(2))
    unsymbolized, truncated = draw(shares), draw(shares)
    share, memory = draw(shares), draw(st.integers(0, 2**40))
    busy, good = draw(st.integers(0, 20)), draw(st.integers(1, 20))
    parts = [draw(figures) for _ in range(3)]
    snapshot = cpu(
        (quality.CPU_LOST, float(lost)),
        (quality.CPU_OPAQUE, float(opaque)),
        (quality.CLOCK_SKEW, -cpu_skew),
        (quality.WINDOW_ERROR, -error),
        (quality.UNSYMBOLIZED, unsymbolized),
        (sampling.CPU_USED, shortage),
        samples=taken,
    )
    heap = ProfileSnapshot(
        medians[0], records, {}, (Reading(quality.CLOCK_SKEW, skew), Reading(quality.TRUNCATED, truncated))
    )
    stacks = ProfileSnapshot(medians[1], 5, {content.PROFILED_GOROUTINES: float(goroutines)}, ())
    snapshot = replace(
        snapshot,
        system=draw(st.sampled_from([System.WINDOWS, System.LINUX])),
        profiles={**snapshot.profiles, "heap": heap, "goroutine": stacks},
        fetches={
            "heap": FetchSummary(None, good, busy, 0, mean, medians[0]),
            "goroutine": FetchSummary(None, good, 0, 0, mean, draw(st.sampled_from([None, medians[1]]))),
        },
        audit=audited(stddev=stddev, late_ratio=late, rate=rate).audit,
        audit_processors=processors,
        canary_at_rest=rest,
        canary_profiled=profiled,
        differences=dict(zip(("modules", "heap", "goroutines"), parts, strict=True)),
        profiler_memory=memory,
        profiling=share,
        budget=0.15,
    )
    known = [taken, lost / taken, opaque / taken, skew, cpu_skew, error, shortage, records, goroutines, *medians, mean]
    known += [stddev, late, rate, processors, rest.count, rest.median, profiled.count, profiled.median, unsymbolized]
    known += [truncated, share, 0.15, memory, busy, good, busy + good, busy + 2 * good, *parts, 100, 20]
    return snapshot, known


@given(snapshots())
@settings(max_examples=150, deadline=None)
def test_every_number_of_a_sentence_is_one_of_the_snapshot_or_a_limit(made: tuple[TargetSnapshot, list[float]]) -> None:
    snapshot, known = made
    allowed = {text for value in known for text in written(value)}
    allowed |= {text for threshold in THRESHOLDS for text in written(threshold.value)} | {"1.5", "100 Hz", "6"}

    for verdict in verdicts(snapshot):
        # F1 and F10 to F13 have files of their own; they show figures of the same snapshot.
        for said in (verdict.said, *(note.said for note in verdict.notes)):
            assert [number for number in _NUMBER.findall(said) if number not in allowed] == [], said


@given(st.dictionaries(st.sampled_from(["cpu", "heap", "mutex", "block"]), st.floats(-500, 500), min_size=1))
def test_a_bound_on_clock_errors_bounds_all_of_them(skews: dict[str, float]) -> None:
    profiles = {
        name: ProfileSnapshot(0.01, 1, {}, (Reading(quality.CLOCK_SKEW, skew),)) for name, skew in skews.items()
    }
    found = of_mode("F4", TargetSnapshot(up=True, profiles=profiles))
    largest = max(map(abs, skews.values()))

    if "at most" in found.said or "by up to" in found.said:
        assert seconds(largest) in found.said
    if found.level is Level.HEALTHY:
        assert "at most" in found.said or "by up to" in found.said
    else:
        assert seconds(min(map(abs, skews.values()))) in found.said


@given(st.floats(0.001, 1), st.floats(0.01, 0.9))
def test_a_cost_above_the_budget_is_not_called_healthy(share: float, budget: float) -> None:
    found = of_mode("F19", TargetSnapshot(profiling=share, budget=budget))

    assert (found.level is Level.HEALTHY) == (share <= budget)


def test_an_unknown_sampling_clock_says_why() -> None:
    idle = audited(ticks=2, stddev=None, late_ratio=None, rate=None)
    said = {
        "404": TargetSnapshot(up=True, audit_failure="the server has no such page (HTTP 404)"),
        "switched off": TargetSnapshot(up=True, audit_off="audits are switched off"),
        "next CPU profile": TargetSnapshot(up=True),
        "needs an execution trace": TargetSnapshot(),
        "had 2 ticks": idle,
        "cannot be told apart": audited(interleaved=True, stddev=None, late_ratio=None, buckets=None),
        "used 0.2 processors": audited(processors=0.2),
    }
    for part, snapshot in said.items():
        found = of_mode("F3", snapshot)
        assert found.level is Level.UNKNOWN
        assert part in found.said


def test_each_change_has_the_time_of_its_own() -> None:
    snapshot = TargetSnapshot(at=86_400.0, changes={Change.GO: 600.0, Change.OPERATING_SYSTEM: 1800.0})
    (note,) = of_mode("F16", snapshot).notes

    assert note.said == (
        "Changed 1970-01-01 23:50 UTC: the Go version. Changed 1970-01-01 23:30 UTC: the operating system."
    )
