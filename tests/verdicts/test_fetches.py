"""F13: fetches that fail, and targets that restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.state.counters import LatestFailure
from pprof_exporter.verdicts import Level, TargetSnapshot
from tests.verdicts.snapshots import (
    fetched,
    of_mode,
)


def test_a_target_that_is_down_between_restarts_is_both() -> None:
    down = TargetSnapshot(up=False, down=Reason.CONNECT, restarts=9)

    found = of_mode("F13", down)
    assert [finding.alert for finding in found.findings] == ["PprofTargetDown", "PprofTargetRestarts"]
    assert "restarted 9 times" in found.findings[1].said
    assert len(of_mode("F13", replace(down, several=True)).findings) == 1


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
    fetches = replace(fetched().fetches["heap"], failure=LatestFailure(reason) if reason else None, lately=lately)
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
