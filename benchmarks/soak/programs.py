"""What programs answer that change: function names that are new at every fetch, and builds that follow each other."""

from __future__ import annotations

import random

from benchmarks.fleet.wire import Binary, Function, Header, Location, Sample, profile

_START = 0x401000
_FUNCTIONS = 40
_STACKS = 60
_DEPTH = 6
_CPU = (("samples", "count"), ("cpu", "nanoseconds"))
_HEAP = (
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
)
_CONTENTION = (("contentions", "count"), ("delay", "nanoseconds"))
_TYPES = {"profile": _CPU, "heap": _HEAP, "allocs": _HEAP, "block": _CONTENTION, "mutex": _CONTENTION}
PROFILES = (*_TYPES, "goroutine", "goroutineleak", "threadcreate")
"""Paths below /debug/pprof/ of all profiles."""


def made_profile(path: str, names: str, build: str, at: float) -> bytes:
    """A profile of a program whose functions are called by `names`; `at` is its time stamp in Unix seconds."""
    chance = random.Random(f"{names}/{build}/{path}")  # noqa: S311 - the same for the same names
    binary = Binary("/srv/soak/shop", build, 0x400000, 0x900000)
    for number in range(_FUNCTIONS):
        binary.functions.append(Function(f"example.com/shop/{names}.(*Type{number}).Do", "shop.go", 10 * number + 1))
        binary.locations.append(Location(_START + 64 * number, ((number, 10 * number + 3),)))
    types = _TYPES.get(path, ((path, "count"),))
    samples = [
        Sample(
            tuple(chance.sample(range(_FUNCTIONS), _DEPTH)),
            tuple(chance.randint(1, 9) * (10_000_000 if unit == "nanoseconds" else 1) for _, unit in types),
        )
        for _ in range(_STACKS)
    ]
    cpu = path == "profile"
    header = Header(
        types,
        ("cpu", "nanoseconds") if cpu else (types[-1] if path in ("heap", "allocs") else types[0]),
        10_000_000 if cpu else (512 * 1024 if path in ("heap", "allocs") else 1),
        int(at * 1e9),
        5 * 10**9 if cpu else 0,
    )
    return profile(binary, header, samples)


def made_page(started: float, cpu: float) -> bytes:
    """A metrics page of a process with this start time and CPU time, in seconds."""
    lines = (
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {started:.3f}",
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {cpu:.3f}",
        "# TYPE go_info gauge",
        'go_info{version="go1.27.3"} 1',
    )
    return ("\n".join(lines) + "\n").encode()
