"""F1 to F4, F8 and F9: the accuracy of profiles."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality, sampling
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F1",
        title="CPU samples are missing",
        families=(
            sampling.CPU_COVERAGE,
            sampling.CPU_RATE,
            sampling.CPU_ACCOUNTED,
            sampling.CPU_UNDECIDED,
            sampling.CPU_USED,
            sampling.CPU_COMPARED,
            sampling.CPU_READING,
            quality.CPU_BLOCKED,
            content.CPU_SAMPLES,
            content.CPU_SAMPLED,
            content.CPU_PROFILED,
            content.FUNCTION_CPU,
        ),
        issues=("golang/go#61665", "golang/go#35057", "golang/go#58336", "hashicorp/nomad#23323"),
    ),
    FailureMode(
        id="F2",
        title="CPU samples are lost or have no stack",
        families=(quality.CPU_LOST, quality.CPU_OPAQUE),
        issues=("golang/go#42862",),
    ),
    FailureMode(
        id="F3",
        title="The sampling clock is uneven",
        families=(
            sampling.TICK_INTERVAL,
            sampling.TICK_STATISTIC,
            sampling.TICK_RATE,
            sampling.TICK_LATE,
            sampling.TICK_GAPS,
            sampling.TICK_PROCESSORS,
            sampling.AUDITS,
            sampling.LAST_AUDIT,
        ),
        issues=("golang/go#44343", "golang/go#61042", "golang/go#61665", "golang/go#42502"),
    ),
    FailureMode(
        id="F4",
        title="Time stamps are wrong or out of order",
        families=(quality.CLOCK_SKEW, quality.CLOCK_REGRESSIONS, quality.WINDOW_ERROR, sampling.CLOCK_DRIFT),
        issues=("golang/go#63043",),
    ),
    FailureMode(
        id="F8",
        title="Symbols are missing",
        families=(quality.UNSYMBOLIZED, quality.INLINED),
        issues=("golang/go#43296",),
    ),
    FailureMode(
        id="F9",
        title="Stacks are cut short",
        families=(quality.TRUNCATED,),
        issues=("golang/go#69590",),
    ),
)
