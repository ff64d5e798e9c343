"""Which change of a signal is a regression: one row for each kind of signal, as in the alerts.

The recording rule `target_signal:pprof_signal_median:worse` (rules/upgrade.py) has the same in PromQL; a test compares
the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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
    the same signal on targets without an upgrade. `min_observations` is the number of values that a median needs.
    """

    signals: str
    worse: WorseDirection
    factor: str = ""
    bound: str = ""
    difference: str = ""
    busy: bool = False
    same_go: bool = False
    controlled: bool = False
    min_observations: str = "regression_observations"

    def is_exceeded(self, limit: ThresholdValues, *, ratio: float | None, now: float, change: float) -> bool:
        """Whether a change exceeds the limits.

        `ratio` is the value now divided by the value before, None if a value was not positive; of a `controlled` signal
        it is relative to the control group: divided by the control ratio too, where that is known and above 1. `change`
        is now minus before.
        """
        sign = 1 if self.worse is WorseDirection.HIGHER else -1
        factor = limit[self.factor] if self.factor else 1
        return (
            (not self.factor or ratio is None or (ratio > factor if sign > 0 else ratio < 1 / factor))
            and (not self.bound or sign * now > sign * limit[self.bound])
            and sign * change > (limit[self.difference] if self.difference else 0)
        )


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
)


def measure_of(signal: str) -> Measure | None:
    """The measure of a signal; None: neither direction is bad by itself."""
    return next((measure for measure in MEASURES if re.fullmatch(measure.signals, signal)), None)
