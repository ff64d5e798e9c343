"""Families that say how far the profiles can be trusted."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge

CPU_LOST = counter(
    "pprof_cpu_lost_samples_total",
    "CPU samples that the Go runtime counted but could not record, by the name that it books them under.",
    "target",
    "function",
)
CPU_OPAQUE = counter(
    "pprof_cpu_opaque_samples_total",
    "CPU samples whose stack could not be walked, by the catch-all name that the runtime books them under.",
    "target",
    "function",
)
CPU_BLOCKED = counter(
    "pprof_cpu_blocked_samples_total",
    "CPU samples of threads that sat in a system call: on Windows Go samples them although they use no CPU.",
    "target",
)
CPU_GC = counter("pprof_cpu_gc_samples_total", "CPU samples spent on garbage collection.", "target")

UNSYMBOLIZED = gauge(
    "pprof_unsymbolized_ratio",
    "Share of the value of the latest profile in stacks with a location that has no function name.",
    "target",
    "profile",
)
INLINED = gauge(
    "pprof_inlined_location_ratio",
    "Share of the locations of the latest profile that hold inlined calls.",
    "target",
    "profile",
)
TRUNCATED = gauge(
    "pprof_truncated_stack_ratio",
    "Share of the value of the latest profile in stacks as deep as the runtime records at all.",
    "target",
    "profile",
)
CLOCK_SKEW = gauge(
    "pprof_profile_clock_skew_seconds",
    "Time stamp of the latest profile less the exporter's own time of its making; the clocks of both hosts count.",
    "target",
    "profile",
)
CLOCK_REGRESSIONS = counter(
    "pprof_profile_clock_regressions_total",
    "Profiles whose time stamp lies before that of the profile fetched earlier.",
    "target",
    "profile",
)
WINDOW_ERROR = gauge(
    "pprof_profile_window_error_seconds",
    "Seconds that the latest profile says it covers, less the seconds asked for.",
    "target",
    "profile",
)

GOROUTINE_STATES = gauge(
    "pprof_goroutines_by_state",
    "Goroutines of the latest goroutine profile by what they wait for, as their innermost functions tell.",
    "target",
    "state",
)

FAMILIES = (
    CPU_LOST,
    CPU_OPAQUE,
    CPU_BLOCKED,
    CPU_GC,
    UNSYMBOLIZED,
    INLINED,
    TRUNCATED,
    CLOCK_SKEW,
    CLOCK_REGRESSIONS,
    WINDOW_ERROR,
    GOROUTINE_STATES,
)
