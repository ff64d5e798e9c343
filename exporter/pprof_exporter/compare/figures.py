"""The figures that a comparison shows first: what people upgrade for."""

from __future__ import annotations

from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    GC_SHARE,
    GOROUTINE_COUNT,
    HEAP_IN_USE,
    SAMPLED_PROCESSORS,
    THREADS,
    USED_PROCESSORS,
)

HEADING = "What you upgraded for"

FIGURES = {
    USED_PROCESSORS: "CPU used, in processors",
    SAMPLED_PROCESSORS: "CPU used by its samples, in processors",
    HEAP_IN_USE: "Heap in use",
    ALLOCATION: "Allocation rate",
    GOROUTINE_COUNT: "Goroutines",
    GC_SHARE: "GC, share of CPU samples",
    CONTENTION: "Mutex waits, all goroutines",
    THREADS: "Threads created",
    "fetch_duration_seconds:heap": "Latency of a heap profile",
}
"""Name by signal, in the order in which they are shown. CPU samples stand in where the CPU time is not known."""
