"""Families about the Go runtime of a target, and its latency."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram

GC_CYCLES = counter("pprof_gc_cycles_total", "Garbage collections since the target started.", "target")
GC_FORCED = counter(
    "pprof_gc_forced_cycles_total", "Garbage collections that the program requested since it started.", "target"
)
GC_PAUSE = histogram(
    "pprof_gc_pause_seconds",
    "Stop-the-world time of each garbage collection since the exporter's first fetch.",
    "target",
    buckets=(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0),
)
GC_UNSEEN = counter(
    "pprof_gc_unseen_cycles_total",
    "Garbage collections whose pause is unknown, because more than 256 ran between two fetches.",
    "target",
)
GC_IN_WINDOW = counter(
    "pprof_gc_pauses_within_cpu_profiles_total", "Garbage collection pauses that fell into a CPU profile.", "target"
)
GC_CPU = gauge(
    "pprof_gc_cpu_ratio",
    "Share of the CPU available to the target that its garbage collector has used since the start.",
    "target",
)
NEXT_GC = gauge("pprof_next_gc_bytes", "Heap size at which the next garbage collection starts.", "target")
HEAP_SIZE = gauge(
    "pprof_heap_size_bytes",
    "Heap of the target with what is not collected yet, at the moment of pprof_next_gc_bytes.",
    "target",
)
GOGC = gauge(
    "pprof_gogc_ratio",
    "GOGC of the target, if its metrics page states it (go_gc_gogc_percent): growth of the heap between two garbage "
    "collections by the live heap; 1 is GOGC=100.",
    "target",
)
PROFILER_MEMORY = gauge(
    "pprof_profiler_memory_bytes", "Memory used by the target's own heap, block and mutex profilers.", "target"
)
MEMORY_LIMIT = gauge(
    "pprof_memory_limit_bytes",
    "Memory limits of the target: GOMEMLIMIT from its metrics page or environment (gomemlimit), the least of its "
    "cgroups (cgroup), and the memory of its machine (host). Environment, cgroups and machine are known if it runs on "
    "the exporter's machine. Absent without a limit, or if it is not known.",
    "target",
    "source",
)
MAX_RSS = gauge("pprof_max_resident_memory_bytes", "Largest resident memory of the target since it started.", "target")

PROCESSORS = gauge(
    "pprof_processors",
    "Processors that the target can use at once: GOMAXPROCS by its metrics page (go_sched_gomaxprocs_threads), else "
    "those of this machine if it runs here.",
    "target",
)
CPU_LIMIT = gauge(
    "pprof_cgroup_cpu_limit_processors",
    "Least limit on CPU time that a cgroup sets for the target, in processors, if it runs on this machine.",
    "target",
)
CPU_PERIODS = counter(
    "pprof_cgroup_cpu_periods_total",
    "Periods, usually of 100 ms, in which the target had something to run and its cgroup a CPU limit.",
    "target",
)
CPU_THROTTLED_PERIODS = counter(
    "pprof_cgroup_cpu_throttled_periods_total",
    "Periods in which the target had to wait because its cgroup had used up its CPU limit.",
    "target",
)
CPU_THROTTLED = counter(
    "pprof_cgroup_cpu_throttled_seconds_total", "Time that the CPU limit of its cgroup made the target wait.", "target"
)

CONTENTION_PROFILING = gauge(
    "pprof_contention_profiling_enabled",
    "1 if block or mutex profiling is on, 0 if it is off, absent if unknown. Mutex: by the rate in mutex?debug=1. "
    "Block: 1 with any record, 0 if goroutines keep waiting without a record.",
    "target",
    "profile",
)

CANARY_DURATION = histogram(
    "pprof_canary_duration_seconds",
    "Latency of a request that costs the target nothing, while a CPU profile runs (profile) and while none runs "
    "(rest).",
    "target",
    "during",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0),
)
CANARY_FAILURES = counter(
    "pprof_canary_failures_total",
    "Canary requests that were not answered, while a CPU profile ran (profile) and while none ran (rest).",
    "target",
    "during",
)
LATENCY_DIFFERENCE = gauge(
    "pprof_latency_difference_seconds",
    "Part of the latency of profiles attributed to each cause, as the median of the latest three to five differences: "
    "modules (threadcreate minus its debug=1 form, which lists none; Windows only), heap (heap minus threadcreate) and "
    "goroutines (goroutine minus threadcreate). Negative values are chance.",
    "target",
    "cause",
)

FAMILIES = (
    GC_CYCLES,
    GC_FORCED,
    GC_PAUSE,
    GC_UNSEEN,
    GC_IN_WINDOW,
    GC_CPU,
    NEXT_GC,
    HEAP_SIZE,
    GOGC,
    PROFILER_MEMORY,
    MAX_RSS,
    PROCESSORS,
    CPU_LIMIT,
    CPU_PERIODS,
    CPU_THROTTLED_PERIODS,
    CPU_THROTTLED,
    MEMORY_LIMIT,
    CONTENTION_PROFILING,
    CANARY_DURATION,
    CANARY_FAILURES,
    LATENCY_DIFFERENCE,
)
