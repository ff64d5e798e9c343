"""The texts that belong to a made-up program: heap?debug=1, its index page, and its metrics page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.fleet.wire import Binary, Sample

# Go doubles the rate of samples here (runtime/pprof.writeHeapInternal).
_DOUBLE_RATE = 2 * 512 * 1024
_RING = 256
_LATEST_END = 1_795_470_000 * 10**9
_BETWEEN = 20 * 10**9
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


@dataclass(frozen=True, slots=True)
class Figures:
    """Memory statistics; sizes in bytes."""

    heap_alloc: int
    next_gc: int
    collections: int
    profiler_memory: int


def heap(binary: Binary, samples: Iterable[Sample], figures: Figures) -> bytes:
    """The text of heap?debug=1: every record with its stack, and then the memory statistics."""
    samples = list(samples)
    objects, size, used, in_use = (sum(sample.values[index] for sample in samples) for index in range(4))
    lines = [f"heap profile: {used}: {in_use} [{objects}: {size}] @ heap/{_DOUBLE_RATE}"]
    for sample in samples:
        places = [binary.locations[place] for place in sample.stack]
        addresses = " ".join(f"{place.address:#x}" for place in places)
        made, bytes_made, kept, bytes_kept = sample.values
        lines.append(f"{kept}: {bytes_kept} [{made}: {bytes_made}] @ {addresses}")
        for place in places:
            for index, line in place.lines:
                function = binary.functions[index]
                lines.append(
                    f"#\t{place.address - 1:#x}\t{function.name}+{place.address % 0x900:#x}\t{function.file}:{line}"
                )
        lines.append("")
    return "\n".join([*lines, "", *_memory_statistics(figures), ""]).encode()


def _memory_statistics(figures: Figures) -> list[str]:
    """The lines of runtime.MemStats, in the order of the runtime."""
    slots = [(figures.collections - 1 - slot) % _RING for slot in range(_RING)]
    pauses = " ".join(str(90_000 + 400 * age) for age in slots)
    ends = " ".join(str(_LATEST_END - age * _BETWEEN) for age in slots)
    values: dict[str, object] = {
        "Alloc": figures.heap_alloc,
        "TotalAlloc": figures.heap_alloc * 4000,
        "Sys": figures.next_gc * 2,
        "Lookups": 0,
        "Mallocs": figures.heap_alloc * 40,
        "Frees": figures.heap_alloc * 39,
        "HeapAlloc": figures.heap_alloc,
        "HeapSys": figures.next_gc * 2,
        "HeapIdle": figures.next_gc // 2,
        "HeapInuse": figures.next_gc,
        "HeapReleased": figures.next_gc // 4,
        "HeapObjects": figures.heap_alloc // 90,
        "Stack": "4194304 / 4194304",
        "MSpan": "3212800 / 4194304",
        "MCache": "38656 / 47112",
        "BuckHashSys": figures.profiler_memory,
        "GCSys": 9_437_184,
        "OtherSys": 3_145_728,
        "NextGC": figures.next_gc,
        "LastGC": _LATEST_END,
        "PauseNs": f"[{pauses}]",
        "PauseEnd": f"[{ends}]",
        "NumGC": figures.collections,
        "NumForcedGC": 3,
        "GCCPUFraction": 0.0031,
        "DebugGC": "false",
        "MaxRSS": figures.next_gc * 3,
    }
    return ["# runtime.MemStats", *(f"# {name} = {value}" for name, value in values.items())]


def index(recorded: str, counts: Mapping[str, int]) -> bytes:
    """The recorded index page with these counts."""
    for name, count in counts.items():
        recorded, changed = re.subn(rf"<td>\d+</td>(?=<td><a href='{name}\?)", f"<td>{count}</td>", recorded)
        assert changed == 1, f"the recorded index page has {changed} rows of {name}"  # noqa: S101
    return recorded.encode()


def metrics(recorded: str, figures: Figures | None, lines: int, *, processors: int) -> bytes:
    """A metrics page: what the recorded program states, the collector of Go, and histograms of the service."""
    own = re.sub(r"(?m)^go_sched_gomaxprocs_threads .*$", f"go_sched_gomaxprocs_threads {processors}", recorded)
    parts = [own.rstrip("\n")]
    if figures is not None:
        parts += _of_go(figures)
    for number in range(lines // (len(_BOUNDS) + 3)):
        name = f"shop_area{number // 8}_request_duration_seconds"
        if number % 8 == 0:
            parts += [
                f"# HELP {name} Time from the first byte of a request to the last of its reply.",
                f"# TYPE {name} histogram",
            ]
        labels = f'handler="/api/v1/handler{number}",code="200",method="get"'
        parts += [f'{name}_bucket{{{labels},le="{bound}"}} {number * 40 + 7}' for bound in (*_BOUNDS, "+Inf")]
        parts += [f"{name}_sum{{{labels}}} {number * 1.75}", f"{name}_count{{{labels}}} {number * 40 + 7}"]
    return ("\n".join(parts) + "\n").encode()


def _of_go(figures: Figures) -> list[str]:
    """What the collector of client_golang states of the heap (prometheus/go_collector.go)."""
    gauges = {
        "go_memstats_alloc_bytes": figures.heap_alloc,
        "go_memstats_buck_hash_sys_bytes": figures.profiler_memory,
        "go_memstats_heap_alloc_bytes": figures.heap_alloc,
        "go_memstats_heap_inuse_bytes": figures.next_gc,
        "go_memstats_heap_sys_bytes": figures.next_gc * 2,
        "go_memstats_next_gc_bytes": figures.next_gc,
        "go_memstats_sys_bytes": figures.next_gc * 2,
    }
    quantiles = [f'go_gc_duration_seconds{{quantile="{share}"}} 0.00012' for share in (0, 0.25, 0.5, 0.75, 1)]
    return [
        "# HELP go_gc_duration_seconds A summary of the stop-the-world duration in garbage collection cycles.",
        "# TYPE go_gc_duration_seconds summary",
        *quantiles,
        "go_gc_duration_seconds_sum 0.48",
        f"go_gc_duration_seconds_count {figures.collections}",
        *(
            line
            for name, value in gauges.items()
            for line in (f"# HELP {name} Number of bytes.", f"# TYPE {name} gauge", f"{name} {value:.12e}")
        ),
    ]
