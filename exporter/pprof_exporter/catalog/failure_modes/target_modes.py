"""F5, F6, F10 to F12 and F18: the state of the target itself, and its latency."""

from __future__ import annotations

from pprof_exporter.catalog import content, fetching, identity, quality, runtime
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F5",
        title="Profiles are slow",
        families=(
            fetching.FETCH_DURATION,
            fetching.FETCH_PHASE,
            runtime.LATENCY_DIFFERENCE,
            fetching.RESPONSE_BYTES,
            fetching.PROFILE_SIZE,
            content.PROFILE_RECORDS,
        ),
        issues=("golang/go#61560", "golang/go#26055", "golang/go#43427", "golang/go#74872", "golang/go#63043"),
    ),
    FailureMode(
        id="F6",
        title="The service stalls",
        families=(
            runtime.CANARY_DURATION,
            runtime.CANARY_FAILURES,
            fetching.WEDGED,
            runtime.CPU_THROTTLED_PERIODS,
            runtime.CPU_PERIODS,
            runtime.CPU_THROTTLED,
            runtime.CPU_LIMIT,
        ),
        issues=(
            "golang/go#80982",
            "golang/go#80665",
            "golang/go#36492",
            "golang/go#42528",
            "golang/go#52178",
            "golang/go#58646",
            "golang/go#75583",
            "golang/go#33250",
        ),
    ),
    FailureMode(
        id="F10",
        title="Goroutines pile up",
        families=(
            content.GOROUTINES,
            content.PROFILED_GOROUTINES,
            quality.GOROUTINE_STATES,
            content.GOROUTINE_GROWTH,
            content.FUNCTION_GOROUTINES,
            content.LEAKED_GOROUTINES,
            content.CREATORS,
            content.LONGEST_WAIT,
            content.THREADS_CREATED,
            runtime.PROCESSORS,
        ),
        issues=("golang/go#80311", "golang/go#58646", "cockroachdb/cockroach#14602"),
    ),
    FailureMode(
        id="F11",
        title="Garbage collection disturbs profiles",
        families=(
            runtime.GC_PAUSE,
            runtime.GC_IN_WINDOW,
            quality.CPU_GC,
            runtime.GC_CPU,
            runtime.GC_CYCLES,
            runtime.GC_FORCED,
            runtime.GC_UNSEEN,
            runtime.NEXT_GC,
            runtime.HEAP_SIZE,
            runtime.GOGC,
        ),
    ),
    FailureMode(
        id="F12",
        title="Memory grows without bound",
        families=(
            content.HEAP_INUSE_BYTES,
            content.HEAP_INUSE_OBJECTS,
            content.HEAP_GROWTH,
            content.FUNCTION_HEAP,
            content.ALLOCATED_BYTES,
            content.ALLOCATED_OBJECTS,
            content.FUNCTION_ALLOCATED,
            runtime.MAX_RSS,
            runtime.MEMORY_LIMIT,
            identity.RESTARTS_AFTER_GROWTH,
            runtime.PROFILER_MEMORY,
        ),
        issues=("golang/go#69590", "golang/go#42347", "golang/go#74872"),
    ),
    FailureMode(
        id="F18",
        title="Locks are contended, or contention is not recorded",
        families=(
            content.CONTENTION_SECONDS,
            runtime.CONTENTION_PROFILING,
            content.CONTENTIONS,
            content.FUNCTION_CONTENTION,
            content.SAMPLES,
        ),
        issues=("golang/go#80982",),
    ),
)
