"""F3, F4: how evenly the runtime takes CPU samples, and whether the clocks of the process agree.

A CPU profile assumes that every sample stands for one period, 10 ms. On Windows one thread of the runtime waits on a
timer and then samples all threads (runtime/os_windows.go profileLoop). A coarse timer, an antivirus that holds threads,
power throttling or a suspended machine delay it, and the profile silently shows too little CPU time. On Linux each
thread has a timer on its own CPU time (runtime/os_linux.go setThreadCPUProfiler), which the kernel checks at its own
ticks: with 250 of them a second, 10 ms become 8 or 12.

A *tick* is a moment when samples were taken. A sample starts a new tick if it is more than 0.55 periods after the
first sample of the tick before. Intervals are from tick to tick, and not per thread, since goroutines move between
threads: in healthy programs the intervals of a thread spread by more than a period.

Healthy programs with 1 to 4 busy threads on two processors, Go 1.24 and 1.27, measured over 1 to 2 s: mean 9.3 to
11.4 ms, standard deviation 1.7 to 3.5 ms, tick rate 84 to 123 Hz, up to 13 % later than 1.5 periods. The Windows builds
among them ran under Wine.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pprof_exporter.averages import mean_of, median_of
from pprof_exporter.catalog import sampling
from pprof_exporter.profile.trace import ClockSnapshot, Trace

_BUCKETS = sampling.TICK_BUCKETS
"""Upper bounds in seconds."""

MIN_INTERVALS = 20
"""With fewer intervals there is neither a spread nor a rate: these figures are None."""

_TICK_PERIODS = 0.55
_GAP_PERIODS = 3
_LATE_PERIODS = 1.5
_ONE_TICK_PERIODS = (0.5, 1.9)
_MAX_INTERLEAVED = 2.5
_MIN_CLOCK_SECONDS = 0.1
_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True)
class ClockDrift:
    """How much faster than the monotonic clock two others ran, in seconds per second, over `elapsed` seconds.

    `trace` is the clock of `Trace.times`: on Windows the processor's counter by a frequency that the runtime estimates
    (runtime.ticksPerSecond), elsewhere the monotonic clock itself. `wall` moves when the system time is set. One step
    of a clock is 15.6 ms at worst on Windows, so a drift below 0.0156 / `elapsed` is not significant there.
    """

    elapsed: float
    trace: float
    wall: float


@dataclass(frozen=True, slots=True)
class TickAudit:
    """The ticks of one trace. Times are in seconds.

    `intervals` has all intervals between ticks, and `buckets` how many of them are in each of `_BUCKETS` and, at its
    end, above. Those over 3 periods are gaps: `gaps` counts them, `gap_seconds` adds them up, `longest` is the longest
    interval of all. These are None with fewer than two ticks.

    `mean`, `stddev` (of the population), `median`, `p99` (nearest rank) and `late_ratio`, the share later than 1.5
    periods, are of the intervals without the gaps, in which the process may have been idle. They are None with fewer
    than `MIN_INTERVALS` of them. `rate` is in hertz: one by the median of the intervals from 0.5 to 1.9 periods, so
    that ticks without a busy thread do not count; None with fewer than `MIN_INTERVALS` of these.

    `interleaved`: more than 2.5 threads were busy at a time on a system whose threads have a timer each, so that ticks
    cannot be separated. These figures and `buckets` are then None; the gaps are still valid.

    `drift` is None without two snapshots of the clocks at least 0.1 s apart: Go 1.24 and older write none.
    """

    period: float
    samples: int
    ticks: int
    interleaved: bool
    intervals: tuple[float, ...]
    buckets: tuple[int, ...] | None
    gaps: int | None
    gap_seconds: float | None
    longest: float | None
    mean: float | None
    stddev: float | None
    median: float | None
    p99: float | None
    late_ratio: float | None
    rate: float | None
    drift: ClockDrift | None


def audit(trace: Trace, *, period: float, windows: bool) -> TickAudit:
    """Measure the ticks of a trace that was taken while a CPU profile of `period` seconds ran.

    `windows`: the runtime samples all threads in one tick, which it does only on Windows.
    """
    starts = _ticks(trace.times, period)
    intervals = tuple(after - before for before, after in pairwise(starts))
    kept = sorted(interval for interval in intervals if interval <= _GAP_PERIODS * period)
    gaps = [interval for interval in intervals if interval > _GAP_PERIODS * period]
    interleaved = not windows and len(trace.times) * period > _MAX_INTERLEAVED * (math.fsum(kept) + period)
    measured = [] if interleaved else kept
    mean, stddev = _mean_and_stddev(measured)
    enough = len(measured) >= MIN_INTERVALS
    return TickAudit(
        period=period,
        samples=len(trace.times),
        ticks=len(starts),
        interleaved=interleaved,
        intervals=intervals,
        buckets=_buckets(intervals) if intervals and not interleaved else None,
        gaps=len(gaps) if intervals else None,
        gap_seconds=math.fsum(gaps) if intervals else None,
        longest=max(intervals, default=None),
        mean=mean,
        stddev=stddev,
        median=median_of(measured) if enough else None,
        p99=measured[math.ceil(0.99 * len(measured)) - 1] if enough else None,
        late_ratio=_share_above(measured, _LATE_PERIODS * period) if enough else None,
        rate=_rate(measured, period),
        drift=_drift(trace.clocks),
    )


def _ticks(times: Sequence[float], period: float) -> list[float]:
    """The first sample of each tick.

    The distance counts from this first one, not from the sample before: samples of two threads with a timer each can
    follow one another without a pause, and would all be one tick.
    """
    starts: list[float] = []
    for time in times:
        if not starts or time - starts[-1] > _TICK_PERIODS * period:
            starts.append(time)
    return starts


def _mean_and_stddev(values: Sequence[float]) -> tuple[float | None, float | None]:
    if len(values) < MIN_INTERVALS:
        return None, None
    middle = mean_of(values)
    return middle, math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def _share_above(values: Sequence[float], limit: float) -> float:
    return sum(value > limit for value in values) / len(values)


def _rate(values: Sequence[float], period: float) -> float | None:
    least, most = (periods * period for periods in _ONE_TICK_PERIODS)
    single = [value for value in values if least <= value <= most]
    return 1 / median_of(single) if len(single) >= MIN_INTERVALS else None


def _buckets(values: Sequence[float]) -> tuple[int, ...]:
    """Counts per bucket. A value equal to a bound belongs to the bucket below it, as in Prometheus."""
    counts = [0] * (len(_BUCKETS) + 1)
    for value in values:
        counts[bisect_left(_BUCKETS, value)] += 1
    return tuple(counts)


def _drift(clocks: Sequence[ClockSnapshot]) -> ClockDrift | None:
    """The drift from the first snapshot to the last: those in between would only add the steps of the clocks."""
    if not clocks:
        return None
    first, last = clocks[0], clocks[-1]
    nanoseconds = last.monotonic_nanos - first.monotonic_nanos
    if nanoseconds < _MIN_CLOCK_SECONDS * _NANOSECONDS:
        return None
    elapsed = nanoseconds / _NANOSECONDS
    return ClockDrift(
        elapsed=elapsed,
        trace=(last.trace - first.trace) / elapsed - 1,
        wall=(last.wall_nanos - first.wall_nanos - nanoseconds) / nanoseconds,
    )
