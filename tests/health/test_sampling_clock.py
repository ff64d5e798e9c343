"""The audit of ticks on traces of healthy Go programs, and on the same traces made ill."""

from __future__ import annotations

import random
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health.sampling_clock import _BUCKETS, MIN_INTERVALS, TickAudit, audit
from pprof_exporter.profile.trace import ClockSnapshot, Trace, read_trace
from tests.health.audit_problems import AuditProblem, audit_problems
from tests.recorded import RECORDINGS

PERIOD = 0.01
COARSE = 1 / 64
"""Seconds between the interrupts of a Windows machine on which nobody asked for a finer timer."""

MEASURED = {
    # file: mean, standard deviation, median, 99th percentile (in ms), rate in hertz, share later than 15 ms
    "linux-go1.24.11/burn2.trace": (9.96, 1.98, 8.88, 12.14, 112.7, 0.000),
    "linux-go1.27.3/burn2.trace": (10.12, 2.06, 11.86, 12.19, 84.3, 0.010),
    "windows-go1.24.11/burn2.trace": (9.76, 2.28, 9.59, 15.98, 104.3, 0.030),
    "windows-go1.27.3/burn2.trace": (10.11, 3.00, 9.53, 18.07, 104.9, 0.119),
}

every_recording = pytest.mark.parametrize("file", MEASURED)


def recorded(file: str) -> Trace:
    return read_trace((RECORDINGS / file).read_bytes())


def made(times: list[float], *clocks: ClockSnapshot) -> Trace:
    """A trace of one thread."""
    return Trace("go 1.26", tuple(times), (1,) * len(times), clocks, 15_625_000, truncated=False)


def measure(times: list[float] | tuple[float, ...], *, windows: bool = True) -> TickAudit:
    return audit(made(sorted(times)), period=PERIOD, windows=windows)


def on_windows(file: str) -> bool:
    return "windows" in file


def healthy(file: str) -> TickAudit:
    return audit(recorded(file), period=PERIOD, windows=on_windows(file))


def starts(file: str) -> list[float]:
    """When the ticks of a healthy program were."""
    return list(accumulate(healthy(file).intervals, initial=0.0))


@every_recording
def test_healthy_programs_have_the_measured_figures(file: str) -> None:
    ticks = healthy(file)
    mean, stddev, median, p99, rate, late = MEASURED[file]
    assert ticks.mean == pytest.approx(mean / 1000, abs=1e-5)
    assert ticks.stddev == pytest.approx(stddev / 1000, abs=1e-5)
    assert ticks.median == pytest.approx(median / 1000, abs=1e-5)
    assert ticks.p99 == pytest.approx(p99 / 1000, abs=1e-5)
    assert ticks.rate == pytest.approx(rate, abs=0.1)
    assert ticks.late_ratio == pytest.approx(late, abs=1e-3)
    assert ticks.buckets is not None
    assert sum(ticks.buckets) == len(ticks.intervals) == ticks.ticks - 1


@every_recording
def test_healthy_programs_have_no_trouble(file: str) -> None:
    ticks = healthy(file)
    assert audit_problems(ticks, busy=True) == ()
    assert (ticks.gaps, ticks.gap_seconds, ticks.interleaved) == (0, 0, False)
    assert ticks.longest is not None
    assert ticks.longest < 2 * PERIOD


@every_recording
def test_ticks_of_a_busy_program_are_a_period_apart_however_many_threads_it_has(file: str) -> None:
    trace = recorded(file)
    span = trace.times[-1] - trace.times[0]
    assert healthy(file).ticks == pytest.approx(span / PERIOD, rel=0.05)


@every_recording
def test_a_timer_of_64_hertz_is_slow(file: str) -> None:
    """Each tick waits for the next interrupt of a coarse timer, with the delays of the real ones on top."""
    ticks = starts(file)
    delays = [(after - before) - PERIOD for before, after in pairwise(ticks)]
    coarse = [number * COARSE + 0.1 * delay for number, delay in enumerate(delays)]
    found = measure(coarse)
    assert found.rate == pytest.approx(64, rel=0.03)
    assert found.median == pytest.approx(COARSE, rel=0.03)
    assert found.buckets is not None
    assert found.buckets[_BUCKETS.index(0.0165)] > 0.8 * len(found.intervals)
    assert audit_problems(found, busy=False) == (AuditProblem.SLOW,)
    assert audit_problems(found, busy=True) == (AuditProblem.SLOW, AuditProblem.LATE)


@every_recording
def test_a_timer_of_64_hertz_is_slow_with_all_threads_in_each_tick(file: str) -> None:
    trace = recorded(file)
    ticks = starts(file)
    first = trace.times[0]
    times = []
    for time in trace.times:
        number = max(index for index, start in enumerate(ticks) if start <= time - first + 1e-9)
        times.append(number * COARSE + (time - first - ticks[number]))
    found = measure(times)
    assert found.samples == len(trace.times)
    assert found.rate == pytest.approx(64, rel=0.03)
    assert AuditProblem.SLOW in audit_problems(found, busy=True)


@every_recording
@pytest.mark.parametrize("seed", range(5))
def test_nine_times_the_spread_at_four_times_the_mean_is_named(file: str, seed: int) -> None:
    """As with an antivirus that holds the sampling thread."""
    chance = random.Random(seed)
    before = healthy(file)
    assert before.mean is not None
    assert before.stddev is not None
    worse = [max(0.006, chance.gauss(4 * before.mean, 9 * before.stddev)) for _ in before.intervals]
    found = measure(list(accumulate(worse, initial=0.0)))
    assert AuditProblem.GAPS in audit_problems(found, busy=True)
    assert AuditProblem.LATE in audit_problems(found, busy=True)
    assert found.gaps is not None
    assert found.gaps > 0.4 * len(worse)
    assert found.longest == pytest.approx(max(worse))


@every_recording
@pytest.mark.parametrize("seed", range(5))
def test_a_spread_of_more_than_half_a_period_is_jitter(file: str, seed: int) -> None:
    chance = random.Random(seed)
    shaken = [max(0.0056, interval + chance.choice((-0.008, 0.008))) for interval in healthy(file).intervals]
    found = measure(list(accumulate(shaken, initial=0.0)))
    assert found.stddev is not None
    assert found.stddev > PERIOD / 2
    assert AuditProblem.JITTER in audit_problems(found, busy=True)
    assert AuditProblem.JITTER not in audit_problems(found, busy=False)


@every_recording
def test_a_stall_of_all_threads_is_a_gap_and_spoils_no_other_figure(file: str) -> None:
    trace = recorded(file)
    middle = (trace.times[0] + trace.times[-1]) / 2
    stalled = [time + 0.3 * (time > middle) for time in trace.times]
    found = measure(stalled, windows=on_windows(file))
    assert found.gaps == 1
    assert found.longest == pytest.approx(0.3, abs=0.03)
    assert found.gap_seconds == found.longest
    assert audit_problems(found, busy=True) == (AuditProblem.GAPS,)
    assert found.mean == pytest.approx(healthy(file).mean, rel=0.02)
    assert found.rate is not None
    assert 80 < found.rate < 130


@every_recording
def test_stretches_without_samples_are_gaps(file: str) -> None:
    trace = recorded(file)
    left = [time for time in trace.times if (time - trace.times[0]) % 0.25 < 0.2]
    found = measure(left, windows=on_windows(file))
    assert found.gaps in {3, 4}  # The last stretch may be the end.
    assert audit_problems(found, busy=True) == (AuditProblem.GAPS,)
    assert audit_problems(found, busy=False) == ()


@every_recording
@pytest.mark.parametrize("seed", range(5))
def test_a_partly_idle_program_keeps_its_tick_rate(file: str, seed: int) -> None:
    """A third of its ticks find no busy thread, which is nobody's fault."""
    chance = random.Random(seed)
    left = [start for start in starts(file) if chance.random() < 2 / 3]
    found = measure(left)
    assert found.rate is not None
    assert 80 < found.rate < 130
    assert audit_problems(found, busy=False) == ()


def test_few_ticks_give_no_figures() -> None:
    some = [number * PERIOD for number in range(MIN_INTERVALS)]
    few = measure(some)
    assert (few.mean, few.stddev, few.median, few.p99, few.late_ratio, few.rate) == (None,) * 6
    assert few.gaps == 0
    assert few.buckets is not None
    assert audit_problems(few, busy=True) == ()
    assert measure([*some, MIN_INTERVALS * PERIOD]).rate == pytest.approx(100)


@pytest.mark.parametrize("times", [[], [5.0]])
def test_without_two_ticks_nothing_is_told(times: list[float]) -> None:
    nothing = measure(times)
    assert nothing.ticks == len(times)
    assert (nothing.gaps, nothing.gap_seconds, nothing.longest, nothing.buckets) == (None,) * 4
    assert audit_problems(nothing, busy=True) == ()


@pytest.mark.parametrize("file", [file for file in MEASURED if "linux" in file])
def test_many_threads_with_a_timer_each_cannot_be_told_apart(file: str) -> None:
    trace = recorded(file)
    many = [time + shift * 0.0023 for time in trace.times for shift in range(4)]
    found = measure(many, windows=False)
    assert found.interleaved
    assert (found.mean, found.rate, found.buckets) == (None, None, None)
    assert found.gaps == 0
    assert audit_problems(found, busy=True) == ()


def test_many_threads_sampled_in_one_tick_are_told() -> None:
    together = [number * PERIOD + thread * 20e-6 for number in range(100) for thread in range(60)]
    found = measure(together, windows=True)
    assert (found.samples, found.ticks, found.interleaved) == (6000, 100, False)
    assert found.rate == pytest.approx(100)
    assert found.stddev == pytest.approx(0, abs=1e-9)


def test_intervals_fall_into_buckets_with_their_upper_bound() -> None:
    # Powers of two are exact: 0.015625 s, and 0.03125 s.
    found = measure([0.0, 0.015625, 0.046875])
    assert found.buckets is not None
    assert len(found.buckets) == len(_BUCKETS) + 1
    assert {bound: count for bound, count in zip(_BUCKETS, found.buckets, strict=False) if count} == {
        0.0165: 1,
        0.05: 1,
    }
    assert measure([0.0, 0.5]).buckets == (0,) * len(_BUCKETS) + (1,)


def test_another_period_moves_all_limits() -> None:
    slow = audit(made([number * 0.1 for number in range(50)]), period=0.1, windows=True)
    assert slow.rate == pytest.approx(10)
    assert slow.gaps == 0
    assert audit_problems(slow, busy=True) == ()


@pytest.mark.parametrize("file", [file for file in MEASURED if "1.27" in file])
def test_clocks_of_healthy_programs_agree(file: str) -> None:
    drift = healthy(file).drift
    assert drift is not None
    assert 1.0 < drift.elapsed < 1.1
    assert abs(drift.wall) < 1e-6
    assert abs(drift.trace) < (0.0156 if on_windows(file) else 1e-6)


@pytest.mark.parametrize("file", [file for file in MEASURED if "1.24" in file])
def test_go_1_24_writes_no_clocks(file: str) -> None:
    assert healthy(file).drift is None


def test_drift_is_seconds_per_second_of_the_monotonic_clock() -> None:
    clocks = (ClockSnapshot(5.0, 10**9, 10**18), ClockSnapshot(7.02, 3 * 10**9, 10**18 + 5 * 10**9))
    drift = audit(made([], *clocks), period=PERIOD, windows=True).drift
    assert drift is not None
    assert drift.elapsed == 2
    assert drift.trace == pytest.approx(0.01)
    assert drift.wall == pytest.approx(1.5)


@pytest.mark.parametrize("passed", [-(10**9), 0, 10**7])
def test_snapshots_too_close_together_tell_no_drift(passed: int) -> None:
    clocks = (ClockSnapshot(5.0, 2 * 10**9, 0), ClockSnapshot(5.0, 2 * 10**9 + passed, 0))
    assert audit(made([], *clocks), period=PERIOD, windows=True).drift is None


@given(st.lists(st.floats(0, 1e9), max_size=80), st.floats(1e-4, 1), st.booleans())
def test_any_times_can_be_measured(times: list[float], period: float, windows: bool) -> None:  # noqa: FBT001
    found = audit(made(sorted(times)), period=period, windows=windows)
    audit_problems(found, busy=True)
    assert found.ticks <= found.samples == len(times)
    assert len(found.intervals) == max(0, found.ticks - 1)
    assert all(interval > 0.5 * period for interval in found.intervals)
