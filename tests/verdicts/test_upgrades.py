"""F16 and F20: what an upgrade is said to have changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.store import Change
from pprof_exporter.verdicts import Level, Note, TargetSnapshot
from tests.verdicts.snapshots import (
    compared,
    of_mode,
)


def test_an_upgrade_is_one_sentence_with_the_values_before_and_after() -> None:
    values = {Change.BINARY: ("shop a1b2", "shop c3d4"), Change.GO: ("1.24.11", "1.27.3")}
    found = of_mode("F16", TargetSnapshot(at=86_400.0, changes=dict.fromkeys(values, 300.0), changed=values))

    said = "Changed 1970-01-01 23:55 UTC: build shop a1b2 to shop c3d4 and Go 1.24.11 to 1.27.3."
    assert found.notes == (Note(said, "PprofUpgraded"),)


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


@pytest.mark.parametrize(
    ("control", "level"), [(None, Level.WARNING), (0.1, Level.WARNING), (9.0, Level.WARNING), (11.0, Level.HEALTHY)]
)
def test_what_became_slower_for_all_is_no_regression(control: float | None, level: Level) -> None:
    found = of_mode("F20", compared("fetch_duration_seconds:heap", 0.01, 0.2, control=control))

    assert found.level is level
