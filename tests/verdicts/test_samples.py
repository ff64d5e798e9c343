"""F1: how much load a verdict needs, and what is explained instead."""

from __future__ import annotations

from dataclasses import replace

from pprof_exporter.catalog import content
from pprof_exporter.verdicts import Level
from tests.verdicts.snapshots import (
    covered,
    of_mode,
    several_times,
)


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
