"""Which change of a signal is a regression: one row for each kind of signal, as in the alerts.

The recording rule `target_signal:pprof_signal_median:worse` (rules/upgrade.py) has the same in PromQL; a test compares
the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

USED_PROCESSORS = "cpu_used_processors"
"""CPU seconds per second, by the metrics page of the target or by its operating system."""
SAMPLED_PROCESSORS = "cpu_processors"
"""The same by CPU samples, which can be lost: where the other is unknown. Not judged."""
HEAP_IN_USE = "heap_inuse_bytes"
ALLOCATION = "allocated_bytes_per_second"
GOROUTINE_COUNT = "profiled_goroutines"
GC_SHARE = "gc_samples_ratio"
"""Share of CPU samples that garbage collection has."""
CONTENTION = "mutex_seconds_per_second"
"""Seconds per second for which goroutines waited for a mutex, of all of them together."""
THREADS = "threads_created"
"""Threads of the operating system that Go created, nearly all of which stay."""

RESOURCES = (
    USED_PROCESSORS,
    SAMPLED_PROCESSORS,
    HEAP_IN_USE,
    ALLOCATION,
    GOROUTINE_COUNT,
    GC_SHARE,
    CONTENTION,
    THREADS,
)
"""What a program uses, in the order in which people ask."""
LEVELS = (HEAP_IN_USE, GOROUTINE_COUNT, THREADS)
"""Resources that grow with the age of a process, as caches and pools fill: only like ages are compared."""


class WorseDirection(StrEnum):
    """The direction in which a signal becomes worse."""

    HIGHER = "higher"
    LOWER = "lower"


class ThresholdValues(Protocol):
    """Thresholds by name."""

    def __getitem__(self, name: str, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """When the median of a signal is worse than before. Limits are names of thresholds; "" means no condition.

    `signals` is a regular expression for the whole name. All of these must hold: the median changed by more than
    `factor`; it is now beyond `bound`; it changed by more than `difference`. `busy`: only while the target kept a
    processor busy. `same_go`: only with the same Go version, since that sets what is measured. `controlled`: a latency,
    which also depends on host, network and exporter, so that `factor` is held against the control group: the change of
    the same signal on targets without an upgrade. `follows_load`: twice the traffic makes about twice of it, so that
    `factor` is held against the control group or, without one, against the growth of the CPU time used; see
    `expected_growth`. `like_ages`: values before are those of the same age of the process, perhaps weeks ago, so that
    the larger of the two counts. `rises_in` and `falls_in`: the minor version of Go 1 that raised or lowered it by
    design, 0 for none. `min_observations` is the number of values that a median needs.
    """

    signals: str
    worse: WorseDirection
    factor: str = ""
    bound: str = ""
    difference: str = ""
    busy: bool = False
    same_go: bool = False
    controlled: bool = False
    follows_load: bool = False
    like_ages: bool = False
    rises_in: int = 0
    falls_in: int = 0
    min_observations: str = "regression_observations"

    def is_exceeded(self, limit: ThresholdValues, *, ratio: float | None, now: float, change: float) -> bool:
        """Whether a change exceeds the limits.

        `ratio` is the value now divided by the value before and by `expected_growth`, None if a value was not positive.
        `change` is now minus before.
        """
        sign = 1 if self.worse is WorseDirection.HIGHER else -1
        factor = limit[self.factor] if self.factor else 1
        return (
            (not self.factor or ratio is None or (ratio > factor if sign > 0 else ratio < 1 / factor))
            and (not self.bound or sign * now > sign * limit[self.bound])
            and sign * change > (limit[self.difference] if self.difference else 0)
        )

    def expected_growth(self, control: float | None, load: float | None) -> float | None:
        """The factor by which the signal may have grown without the upgrade, at least 1; None: unknown, so no verdict.

        `control` is its change on targets without an upgrade, `load` that of the CPU time of this target. What became
        less for all proves nothing about an upgrade, so it is no reason to expect less.
        """
        if self.follows_load:
            known = [one for one in (control, load) if one is not None]
            return max(1.0, *known[: None if self.like_ages else 1]) if known else None
        return max(1.0, control or 1.0) if self.controlled else 1.0

    def by_design(self, before: GoLine | None, now: GoLine | None) -> bool:
        """Whether a Go release between these lines, `(1, 21)`, makes the signal worse by design. None is unknown.

        For signals that are worse if higher: a later release raised it, or the return to an earlier one undoes that
        the later one lowered it.
        """
        if before is None or now is None:
            return False
        return before < (1, self.rises_in) <= now or (bool(self.falls_in) and now < (1, self.falls_in) <= before)


GoLine = tuple[int, int]
"""A line of Go releases: `(1, 21)` of Go 1.21.13."""


def go_line(version: str) -> GoLine | None:
    """The line of a version such as `1.21.13` or `1.22+`; None for another text."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


_QUICK = "regression_latency_least"
_AUDITED = "regression_audits"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "fetch_duration_seconds:cpu",
        WorseDirection.HIGHER,
        factor="regression_factor",
        bound="fetch_slow",
        controlled=True,
    ),
    Measure(
        "fetch_duration_seconds:.+", WorseDirection.HIGHER, factor="regression_factor", bound=_QUICK, controlled=True
    ),
    Measure(
        "(canary_duration|latency_difference)_seconds:.+",
        WorseDirection.HIGHER,
        factor="regression_factor",
        bound=_QUICK,
        controlled=True,
    ),
    Measure(
        "cpu_coverage_ratio", WorseDirection.LOWER, bound="regression_coverage_below", difference="regression_coverage"
    ),
    Measure("unsymbolized_ratio:.+", WorseDirection.HIGHER, factor="regression_factor", difference="unsymbolized"),
    Measure(
        "inlined_location_ratio:.+", WorseDirection.LOWER, factor="regression_factor", difference="regression_share"
    ),
    Measure(
        "truncated_stack_ratio:.+",
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_share",
        same_go=True,
    ),
    Measure(
        "tick_interval_stddev_seconds",
        WorseDirection.HIGHER,
        factor="regression_factor",
        bound="regression_jitter_least",
        busy=True,
        min_observations=_AUDITED,
    ),
    Measure(
        "tick_late_ratio",
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_share",
        busy=True,
        min_observations=_AUDITED,
    ),
    Measure(
        "tick_rate_hertz",
        WorseDirection.LOWER,
        bound="tick_slow",
        difference="regression_tick_rate",
        busy=True,
        min_observations=_AUDITED,
    ),
    # Resources. Traffic changes them too, but for the share of garbage collection.
    Measure(
        USED_PROCESSORS,
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_cpu_least",
        follows_load=True,
    ),
    Measure(
        HEAP_IN_USE,
        WorseDirection.HIGHER,
        factor="regression_level_factor",
        difference="regression_heap_least",
        follows_load=True,
        like_ages=True,
    ),
    Measure(
        ALLOCATION,
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_allocation_least",
        follows_load=True,
    ),
    Measure(
        GOROUTINE_COUNT,
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_goroutines_least",
        follows_load=True,
        like_ages=True,
    ),
    # Go 1.26 has another collector, which takes 10 to 40 % less (release notes).
    Measure(
        GC_SHARE, WorseDirection.HIGHER, factor="regression_level_factor", difference="regression_share", falls_in=26
    ),
    # Since Go 1.22 a delay counts for every goroutine that waited, and the locks of the runtime count (release notes).
    Measure(
        CONTENTION,
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_contention_least",
        follows_load=True,
        rises_in=22,
    ),
    Measure(
        THREADS,
        WorseDirection.HIGHER,
        factor="regression_factor",
        difference="regression_threads_least",
        follows_load=True,
        like_ages=True,
    ),
)


@lru_cache(maxsize=4096)
def measure_of(signal: str) -> Measure | None:
    """The measure of a signal; None: neither direction is bad by itself."""
    return next((measure for measure in MEASURES if re.fullmatch(measure.signals, signal)), None)


def is_load_dependent(signal: str) -> bool:
    """Whether a signal follows the traffic of its target."""
    measure = measure_of(signal)
    return measure is not None and measure.follows_load
