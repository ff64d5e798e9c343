"""Families that compare CPU samples with the used CPU time, and families about the sampling clock."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram

# Narrow around 10 ms, and around the 15.625 ms of a Windows timer without high resolution. No bound is at 8 or 12 ms,
# the intervals of a Linux kernel with 250 ticks a second.
TICK_BUCKETS = (0.001, 0.005, 0.007, 0.009, 0.0095, 0.0105, 0.011, 0.013, 0.0145, 0.0165, 0.021, 0.03, 0.05, 0.1, 0.2)

CPU_USED = counter(
    "pprof_cpu_used_seconds_total",
    "CPU time that the process used within CPU profiles, where it is known, by source: metrics (page) or process "
    "(operating system).",
    "target",
    "source",
)
CPU_ACCOUNTED = counter(
    "pprof_cpu_accounted_seconds_total",
    "CPU time that the samples of the profiles in pprof_cpu_used_seconds_total stand for, without lost samples and "
    "blocked threads.",
    "target",
    "source",
)
CPU_UNDECIDED = counter(
    "pprof_cpu_undecided_seconds_total",
    "CPU time used within Windows CPU profiles whose samples in system calls could be all that is missing. It is in "
    "neither pprof_cpu_used_seconds_total nor pprof_cpu_accounted_seconds_total.",
    "target",
    "source",
)
CPU_COMPARED = counter(
    "pprof_cpu_compared_profiles_total", "CPU profiles whose CPU time is in pprof_cpu_used_seconds_total.", "target"
)
CPU_READING = gauge(
    "pprof_cpu_reading_seconds",
    "CPU time that one reading of the metrics page costs the target, the mean of 20. It is not in "
    "pprof_cpu_used_seconds_total.",
    "target",
)
CPU_COVERAGE = gauge(
    "pprof_cpu_coverage_ratio",
    "Ratio of accounted to used CPU time in the latest CPU profile with at least 100 expected samples.",
    "target",
)
CPU_RATE = gauge(
    "pprof_cpu_effective_rate_hertz",
    "Samples per second of used CPU time in the latest CPU profile with at least 100 expected samples; 64 is the "
    "coarse timer of Windows.",
    "target",
)

TICK_INTERVAL = histogram(
    "pprof_tick_interval_seconds",
    "Time between two ticks of the sampling clock, from execution traces taken during a CPU profile.",
    "target",
    buckets=TICK_BUCKETS,
)
TICK_STATISTIC = gauge(
    "pprof_tick_interval_statistic_seconds",
    "Mean, stddev, median, p99 and longest of the tick intervals in the latest audit of the sampling clock.",
    "target",
    "statistic",
)
TICK_RATE = gauge("pprof_tick_rate_hertz", "Ticks per second in the latest audit, from the median interval.", "target")
TICK_LATE = gauge(
    "pprof_tick_late_ratio", "Share of ticks in the latest audit that came later than 1.5 periods.", "target"
)
TICK_GAPS = gauge("pprof_tick_gaps", "Tick intervals of more than 3 periods in the latest audit.", "target")
TICK_PROCESSORS = gauge(
    "pprof_tick_audit_busy_processors",
    "Processors that the target kept busy during the CPU profile of the latest audit; below 1, late ticks are normal.",
    "target",
)
CLOCK_DRIFT = gauge(
    "pprof_clock_drift_ratio",
    "Seconds per second by which the trace or wall clock ran ahead of the monotonic clock in the latest audit.",
    "target",
    "clock",
)
AUDITS = counter(
    "pprof_tick_audits_total",
    "Audits of the sampling clock by outcome: success, unsupported (Go before 1.22) or failure.",
    "target",
    "outcome",
)
LAST_AUDIT = gauge(
    "pprof_tick_audit_timestamp_seconds", "Time of the latest audit of the sampling clock, in Unix time.", "target"
)

FAMILIES = (
    CPU_USED,
    CPU_ACCOUNTED,
    CPU_UNDECIDED,
    CPU_COMPARED,
    CPU_READING,
    CPU_COVERAGE,
    CPU_RATE,
    TICK_INTERVAL,
    TICK_STATISTIC,
    TICK_RATE,
    TICK_LATE,
    TICK_GAPS,
    TICK_PROCESSORS,
    CLOCK_DRIFT,
    AUDITS,
    LAST_AUDIT,
)
