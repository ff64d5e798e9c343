"""The figures that a comparison shows first: what people upgrade for."""

from __future__ import annotations

from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    CPU_SAMPLED,
    CPU_USED,
    GC_SHARE,
    GOROUTINES,
    HEAP,
    THREADS,
)

HEADING = "What you upgraded for"

FIGURES = {
    CPU_USED: "CPU used, in processors",
    CPU_SAMPLED: "CPU used by its samples, in processors",
    HEAP: "Heap in use",
    ALLOCATION: "Allocation rate",
    GOROUTINES: "Goroutines",
    GC_SHARE: "GC, share of CPU samples",
    CONTENTION: "Mutex waits, all goroutines",
    THREADS: "Threads created",
    "fetch_duration_seconds:heap": "Latency of a heap profile",
}
"""Name by signal, in the order in which they are shown. CPU samples stand in where the CPU time is not known."""
