"""What a person would say of an audit: the tests hold its figures against these words."""

from __future__ import annotations

import math
from enum import StrEnum

from pprof_exporter.health.sampling_clock import TickAudit


class AuditProblem(StrEnum):
    """Problems with the ticks of a trace."""

    SLOW = "slow"
    """Fewer than 1 / (1.4 periods) ticks a second: a timer of 64 Hz, say, which loses 36 % of the samples."""
    JITTER = "jitter"
    """Intervals spread by more than half a period."""
    LATE = "late"
    """More than a fifth of the ticks come later than 1.5 periods."""
    GAPS = "gaps"
    """More than a twentieth of the time is in gaps: the sampler, or all threads, stood still."""


_SLOW_PERIODS = 1.4
_JITTER_PERIODS = 0.5
_LATE_RATIO = 0.2
_GAP_RATIO = 0.05


def audit_problems(ticks: TickAudit, *, busy: bool) -> tuple[AuditProblem, ...]:
    """The problems, in the order of `AuditProblem`. A figure that is None shows no problem.

    `busy`: at least one thread used the processor all the time. A trace alone does not show that, but the CPU seconds
    of the process do. If not busy, ticks without a sample are normal, and only `slow` can be detected.
    """
    period = ticks.period
    slow = ticks.rate is not None and ticks.rate < 1 / (_SLOW_PERIODS * period)
    jitter = ticks.stddev is not None and ticks.stddev > _JITTER_PERIODS * period
    late = ticks.late_ratio is not None and ticks.late_ratio > _LATE_RATIO
    gaps = ticks.gap_seconds is not None and ticks.gap_seconds > _GAP_RATIO * math.fsum(ticks.intervals)
    found = {
        AuditProblem.SLOW: slow,
        AuditProblem.JITTER: busy and jitter,
        AuditProblem.LATE: busy and late,
        AuditProblem.GAPS: busy and gaps,
    }
    return tuple(trouble for trouble, seen in found.items() if seen)
