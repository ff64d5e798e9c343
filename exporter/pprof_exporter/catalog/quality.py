"""Families about the accuracy of profiles."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge

CPU_LOST = counter(
    "pprof_cpu_lost_samples_total",
    "CPU samples that the Go runtime counted but could not record, by the name under which it counts them.",
    "target",
    "function",
)
CPU_OPAQUE = counter(
    "pprof_cpu_opaque_samples_total",
    "CPU samples without a stack, by the catch-all name that the Go runtime gives them.",
    "target",
    "function",
)
CPU_BLOCKED = counter(
    "pprof_cpu_blocked_samples_total",
    "CPU samples of threads in a system call, which Go on Windows takes although they use no CPU.",
    "target",
)
CPU_GC = counter("pprof_cpu_gc_samples_total", "CPU samples spent on garbage collection.", "target")

UNSYMBOLIZED = gauge(
    "pprof_unsymbolized_ratio",
    "Share of the value of the latest profile in stacks with a location without a function name.",
    "target",
    "profile",
)
INLINED = gauge(
    "pprof_inlined_location_ratio",
    "Share of the locations in the latest profile that contain inlined calls.",
    "target",
    "profile",
)
TRUNCATED = gauge(
    "pprof_truncated_stack_ratio",
    "Share of the value of the latest profile in stacks of the maximum depth that the runtime records.",
    "target",
    "profile",
)
CLOCK_SKEW = gauge(
    "pprof_profile_clock_skew_seconds",
    "Time stamp of the latest profile minus the exporter's time of its collection; includes the clock errors of both "
    "hosts.",
    "target",
    "profile",
)
CLOCK_REGRESSIONS = counter(
    "pprof_profile_clock_regressions_total",
    "Profiles with a time stamp before that of the previous profile.",
    "target",
    "profile",
)
WINDOW_ERROR = gauge(
    "pprof_profile_window_error_seconds",
    "Duration that the latest profile states, minus the duration requested.",
    "target",
    "profile",
)

GOROUTINE_STATES = gauge(
    "pprof_goroutines_by_state",
    "Goroutines in the latest goroutine profile by what they wait for, derived from their innermost functions.",
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
