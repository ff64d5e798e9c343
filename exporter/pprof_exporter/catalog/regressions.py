"""Which change of a signal is a change for the worse: one row for each kind of signal, as the alerts have it.

The recording rule `target_signal:pprof_signal_median:worse` (rules/upgrade.py) says the same in PromQL; a test holds
the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Worse(StrEnum):
    """The direction in which a signal becomes worse."""

    HIGHER = "higher"
    LOWER = "lower"


class Limit(Protocol):
    """Thresholds by name."""

    def __getitem__(self, name: str, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """When the median of a signal is worse than it was. Limits are names of thresholds; "" asks for nothing.

    `signals` is a regular expression for the whole name. All of these must hold: the median changed by more than
    `factor`; it is beyond `least` now; it changed by more than `difference`. `busy`: only while the target kept a
    processor busy. `same_go`: only with the same version of Go, which sets what is measured. `fewest` is how many
    values a median needs.
    """

    signals: str
    worse: Worse
    factor: str = ""
    least: str = ""
    difference: str = ""
    busy: bool = False
    same_go: bool = False
    fewest: str = "regression_observations"

    def passed(self, limit: Limit, *, ratio: float | None, now: float, change: float) -> bool:
        """Whether a change is large enough to count.

        `ratio` is the value now by the value before, None where that says nothing (a value that was not positive);
        `change` is now less before.
        """
        sign = 1 if self.worse is Worse.HIGHER else -1
        factor = limit[self.factor] if self.factor else 1
        return (
            (not self.factor or ratio is None or (ratio > factor if sign > 0 else ratio < 1 / factor))
            and (not self.least or sign * now > sign * limit[self.least])
            and sign * change > (limit[self.difference] if self.difference else 0)
        )


_QUICK = "regression_latency_least"
_AUDITED = "regression_audits"

MEASURES: tuple[Measure, ...] = (
    Measure("fetch_duration_seconds:cpu", Worse.HIGHER, factor="regression_factor", least="fetch_slow"),
    Measure("fetch_duration_seconds:.+", Worse.HIGHER, factor="regression_factor", least=_QUICK),
    Measure("(canary_duration|latency_difference)_seconds:.+", Worse.HIGHER, factor="regression_factor", least=_QUICK),
    Measure("cpu_coverage_ratio", Worse.LOWER, least="regression_coverage_below", difference="regression_coverage"),
    Measure("unsymbolized_ratio:.+", Worse.HIGHER, factor="regression_factor", difference="unsymbolized"),
    Measure("inlined_location_ratio:.+", Worse.LOWER, factor="regression_factor", difference="regression_share"),
    Measure(
        "truncated_stack_ratio:.+",
        Worse.HIGHER,
        factor="regression_factor",
        difference="regression_share",
        same_go=True,
    ),
    Measure(
        "tick_interval_stddev_seconds",
        Worse.HIGHER,
        factor="regression_factor",
        least="regression_jitter_least",
        busy=True,
        fewest=_AUDITED,
    ),
    Measure(
        "tick_late_ratio",
        Worse.HIGHER,
        factor="regression_factor",
        difference="regression_share",
        busy=True,
        fewest=_AUDITED,
    ),
    Measure(
        "tick_rate_hertz", Worse.LOWER, least="tick_slow", difference="regression_tick_rate", busy=True, fewest=_AUDITED
    ),
)


def measure_of(signal: str) -> Measure | None:
    """How a signal is judged; None: no direction of it is bad by itself."""
    return next((measure for measure in MEASURES if re.fullmatch(measure.signals, signal)), None)
