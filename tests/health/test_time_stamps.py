"""Time stamps of recorded profiles fit the clock of the machine that recorded them, and lies show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.time_stamps import time_stamps
from tests.health.readings import by_name
from tests.profile.changed import changed
from tests.recorded import PROGRAMS, profile, reply

SKEW = "pprof_profile_clock_skew_seconds"
BACK = "pprof_profile_clock_regressions_total"
ERROR = "pprof_profile_window_error_seconds"


def fetched(program: str, file: str, *, window: float = 0, late: float = 0) -> FetchedProfile:
    """As the exporter would have fetched it, with a clock that is `late` seconds behind."""
    recorded = reply(program, file)
    took = max(0.0, recorded.seconds - window)
    return FetchedProfile(profile(program, file), asked_at=recorded.started - late, took=took, window=window)


@pytest.mark.parametrize(
    ("file", "window"), [("heap.pb.gz", 0), ("goroutine.pb.gz", 0), ("cpu_burn1.pb.gz", 3), ("cpu_idle.pb.gz", 2)]
)
@pytest.mark.parametrize("program", PROGRAMS)
def test_one_machine_has_one_clock(program: str, file: str, window: float) -> None:
    found = by_name(time_stamps(fetched(program, file, window=window)))
    assert found[SKEW] == pytest.approx(0, abs=0.05)
    assert found[BACK] == 0
    assert (ERROR in found) == bool(window)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_clock_that_is_ahead_shows_by_how_much(program: str) -> None:
    assert by_name(time_stamps(fetched(program, "heap.pb.gz", late=90)))[SKEW] == pytest.approx(90, abs=0.05)
    assert by_name(time_stamps(fetched(program, "cpu_burn1.pb.gz", window=3, late=-7)))[SKEW] == pytest.approx(
        -7, abs=0.05
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_window_is_as_long_as_asked_or_a_little_longer(program: str) -> None:
    error = by_name(time_stamps(fetched(program, "cpu_burn1.pb.gz", window=3)))[ERROR]
    assert error is not None
    assert -0.05 < error < 0.35


def test_a_window_that_was_cut_short_shows() -> None:
    assert by_name(time_stamps(fetched(PROGRAMS[0], "cpu_idle.pb.gz", window=10)))[ERROR] == pytest.approx(-8, abs=0.1)


def test_a_step_backwards_is_counted_from_two_ticks_of_windows_on() -> None:
    now = fetched(PROGRAMS[0], "heap.pb.gz")
    at = now.profile.time_nanos
    for before, expected in ((at - 10**9, 0), (at, 0), (at + 32_000_000, 0), (at + 33_000_000, 1)):
        assert by_name(time_stamps(replace(now, previous_nanos=before)))[BACK] == expected


def test_without_a_stamp_or_a_time_of_asking_nothing_is_said() -> None:
    assert time_stamps(FetchedProfile(profile(PROGRAMS[0], "heap"))) == []
    now = fetched(PROGRAMS[0], "heap.pb.gz")
    assert time_stamps(replace(now, profile=changed(now.profile, time_nanos=0))) == []


def test_a_window_of_which_the_profile_says_nothing_has_no_error() -> None:
    now = fetched(PROGRAMS[0], "cpu_idle.pb.gz", window=2)
    assert by_name(time_stamps(replace(now, profile=changed(now.profile, duration_nanos=0))))[ERROR] is None
