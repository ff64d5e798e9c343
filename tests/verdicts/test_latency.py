"""F5: from several fetches, and only where the cause can exist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.profile import System
from pprof_exporter.verdicts import Level, TargetSnapshot
from pprof_exporter.verdicts.snapshot import LatencySummary
from tests.verdicts.snapshots import (
    MANY_GOROUTINES,
    of_mode,
    seen,
    timed,
)


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


def test_what_cheap_requests_take_too_is_the_host_or_the_network() -> None:
    busy = replace(timed(0.3), canary_at_rest=LatencySummary(20, 0.02, latest=0.1))
    said = of_mode("F5", busy).said
    assert said == (
        "The slowest profile, heap, took 300 ms: the median of its latest fetches."
        " A cheap request takes 100 ms: the host or the network is slow, not the profile."
    )
    assert "cheap" not in of_mode("F5", replace(busy, fetches=timed(0.2).fetches)).said
    # Four cheap requests say nothing yet.
    (finding,) = of_mode("F5", replace(busy, canary_at_rest=LatencySummary(4, 0.1, latest=0.1))).findings
    assert finding.alert == "PprofFetchSlow"


def test_virus_scanners_are_named_only_where_modules_are_listed() -> None:
    assert "virus" in of_mode("F5", TargetSnapshot(system=System.WINDOWS, differences={"modules": 0.3})).said
    assert "virus" not in of_mode("F5", MANY_GOROUTINES).said
