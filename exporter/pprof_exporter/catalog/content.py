"""Families for the content of profiles."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge

SAMPLES = gauge("pprof_profile_samples", "Sample records (distinct stacks) in the latest profile.", "target", "profile")
PROFILE_RECORDS = gauge(
    "pprof_profile_records",
    "Records of heap, allocs, block and mutex, as counted by the index page.",
    "target",
    "profile",
)

CPU_PROFILED = counter(
    "pprof_cpu_profiled_seconds_total", "Wall time covered by CPU profiles, as the profiles state it.", "target"
)
CPU_SAMPLED = counter(
    "pprof_cpu_sampled_seconds_total", "CPU time that the samples of CPU profiles stand for.", "target"
)
CPU_SAMPLES = counter("pprof_cpu_samples_total", "Samples in CPU profiles.", "target")

GOROUTINES = gauge("pprof_goroutines", "Goroutines, as counted by the index page.", "target")
PROFILED_GOROUTINES = gauge("pprof_profiled_goroutines", "Goroutines in the latest goroutine profile.", "target")
LEAKED_GOROUTINES = gauge(
    "pprof_leaked_goroutines",
    "Goroutines that can never run again, as proven by the goroutineleak profile (Go 1.27; 1.26 as an experiment).",
    "target",
)
THREADS_CREATED = counter(
    "pprof_threads_created_total", "Operating-system threads created by the Go runtime.", "target"
)

HEAP_INUSE_BYTES = gauge(
    "pprof_heap_inuse_bytes", "Live heap at the last garbage collection, estimated from samples.", "target"
)
HEAP_INUSE_OBJECTS = gauge(
    "pprof_heap_inuse_objects", "Live objects at the last garbage collection, estimated from samples.", "target"
)
ALLOCATED_BYTES = counter(
    "pprof_allocated_bytes_total", "Bytes allocated since the target started, estimated from samples.", "target"
)
ALLOCATED_OBJECTS = counter(
    "pprof_allocated_objects_total", "Objects allocated since the target started, estimated from samples.", "target"
)
CONTENTION_SECONDS = counter(
    "pprof_contention_seconds_total",
    "Time spent waiting (block) or keeping others waiting (mutex) since the target started. 0 while that profile is "
    "off.",
    "target",
    "profile",
)
CONTENTIONS = counter(
    "pprof_contentions_total",
    "Waits counted by the block or mutex profile since the target started. 0 while that profile is off.",
    "target",
    "profile",
)

FUNCTION_CPU = gauge(
    "pprof_function_cpu_seconds",
    "CPU time in the latest window by leaf function: the largest, and 'other' for the rest.",
    "target",
    "function",
)
FUNCTION_GOROUTINES = gauge(
    "pprof_function_goroutines",
    "Goroutines by the function that they started with: the largest, and 'other' for the rest.",
    "target",
    "profile",
    "function",
)
FUNCTION_HEAP = gauge(
    "pprof_function_heap_inuse_bytes",
    "Live heap by the function that allocated it: the largest, and 'other' for the rest.",
    "target",
    "function",
)
FUNCTION_ALLOCATED = gauge(
    "pprof_function_allocated_bytes",
    "Bytes allocated since the target started, by function: the largest, and 'other' for the rest.",
    "target",
    "function",
)
FUNCTION_CONTENTION = gauge(
    "pprof_function_contention_seconds",
    "Contention since the target started, by the first function outside runtime and sync: the largest, and 'other' "
    "for the rest.",
    "target",
    "profile",
    "function",
)

GOROUTINE_GROWTH = gauge(
    "pprof_function_goroutine_growth",
    "Goroutines added over the last 5 fetches, for functions that grew at every one of them.",
    "target",
    "function",
)
HEAP_GROWTH = gauge(
    "pprof_function_heap_growth_bytes",
    "Live heap added over the last 5 fetches with a garbage collection in between, for functions that grew at every "
    "one of them.",
    "target",
    "function",
)
CREATORS = gauge(
    "pprof_goroutine_creators",
    "Goroutines by the function that created them, from goroutine?debug=2 (only with the profile 'stacks' enabled).",
    "target",
    "function",
)
LONGEST_WAIT = gauge(
    "pprof_goroutine_longest_wait_seconds",
    "Longest wait of a goroutine in each state, from goroutine?debug=2 (profile 'stacks'). Go states whole minutes, "
    "from the start of the first garbage collection that finds the goroutine waiting.",
    "target",
    "state",
)

FAMILIES = (
    SAMPLES,
    PROFILE_RECORDS,
    CPU_PROFILED,
    CPU_SAMPLED,
    CPU_SAMPLES,
    GOROUTINES,
    PROFILED_GOROUTINES,
    LEAKED_GOROUTINES,
    THREADS_CREATED,
    HEAP_INUSE_BYTES,
    HEAP_INUSE_OBJECTS,
    ALLOCATED_BYTES,
    ALLOCATED_OBJECTS,
    CONTENTION_SECONDS,
    CONTENTIONS,
    FUNCTION_CPU,
    FUNCTION_GOROUTINES,
    FUNCTION_HEAP,
    FUNCTION_ALLOCATED,
    FUNCTION_CONTENTION,
    GOROUTINE_GROWTH,
    HEAP_GROWTH,
    CREATORS,
    LONGEST_WAIT,
)
