"""The throttling of a target adds up over readings, restarts and cgroups that change."""

from __future__ import annotations

from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits, CgroupState, CpuBandwidth, Throttling

MINUTE = 60.0


def limits(*bandwidths: tuple[str, tuple[int, int, float]]) -> CgroupLimits:
    return CgroupLimits(None, tuple(CpuBandwidth(path, 1.0, *counters) for path, counters in bandwidths))


def test_only_differences_count_not_what_was_before_the_first_reading() -> None:
    state = CgroupState()

    state.record(limits(("/a", (1000, 900, 50.0))), 0)
    assert state.total == Throttling()

    state.record(limits(("/a", (1600, 930, 51.5))), MINUTE)
    assert state.total == state.recent == Throttling(600, 30, 1.5)


def test_of_several_cgroups_the_most_throttled_counts() -> None:
    state = CgroupState()
    state.record(limits(("/a/b", (0, 0, 0.0)), ("/a", (0, 0, 0.0))), 0)

    state.record(limits(("/a/b", (100, 1, 0.1)), ("/a", (200, 50, 4.0))), MINUTE)
    state.record(limits(("/a/b", (200, 61, 6.1)), ("/a", (400, 50, 4.0))), 2 * MINUTE)

    assert state.total == Throttling(300, 110, 10.0)


def test_a_cgroup_that_was_made_again_counts_from_its_next_reading() -> None:
    state = CgroupState()
    state.record(limits(("/a", (500, 100, 9.0))), 0)

    state.record(limits(("/a", (10, 1, 0.1))), MINUTE)
    state.record(limits(("/b", (90, 90, 9.0))), 2 * MINUTE)
    assert state.total == Throttling()

    state.record(limits(("/b", (100, 95, 9.5))), 3 * MINUTE)
    assert state.total == Throttling(10, 5, 0.5)


def test_the_total_outlives_the_process_and_the_recent_does_not() -> None:
    state = CgroupState()
    state.record(limits(("/a", (0, 0, 0.0))), 0)
    state.record(limits(("/a", (100, 50, 5.0))), MINUTE)

    state.begin_process()

    assert (state.latest, state.recent) == (None, Throttling())
    assert state.total == Throttling(100, 50, 5.0)


def test_recent_is_the_last_half_hour() -> None:
    state = CgroupState()
    for minute in range(61):
        state.record(limits(("/a", (10 * minute, minute, 0.0))), minute * MINUTE)

    assert state.recent == Throttling(300, 30, 0.0)


def test_unknown_limits_are_no_reset() -> None:
    state = CgroupState()
    state.record(limits(("/a", (0, 0, 0.0))), 0)
    state.record(None, MINUTE)

    assert state.latest is None
