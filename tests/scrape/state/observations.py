"""Observations with the sums and readings that a test is about."""

from __future__ import annotations

from pprof_exporter.health import Reading
from pprof_exporter.profile import KINDS, KnownGoVersion
from pprof_exporter.scrape.identity.facts import ProcessFacts
from pprof_exporter.scrape.state.observation import Observation


def observed(kind: str, at: float, *sums: float | None, readings: tuple[Reading, ...] = ()) -> Observation:
    """A profile of `at`, with sums in the order of its kind; a window has five seconds."""
    return Observation(
        at=at,
        took=0.01,
        samples=3,
        size=1,
        sums=sums,
        by_function=(None,) * len(sums),
        profiled=5.0 if KINDS[kind].window else 0.0,
        time_nanos=0,
        period_nanos=10_000_000,
        facts=ProcessFacts(None, (), KnownGoVersion()),
        readings=readings,
    )
