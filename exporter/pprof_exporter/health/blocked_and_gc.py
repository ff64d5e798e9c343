"""F1 and F11: CPU samples of blocked threads, and of garbage collection.

On Windows the profiler's thread samples every thread that is not parked, even one that is in a system call and uses no
CPU (runtime/os_windows.go profileLoop). Such samples are recognised by their leaf.
"""

from __future__ import annotations

import re

from pprof_exporter.catalog import quality
from pprof_exporter.health.gc import gc_value
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu
from pprof_exporter.profile import System, system_of

# Entries to system calls of the Windows runtime, Go 1.16 to 1.27. semawakeup, netpoll and the yields are system calls
# like the others; a busy Windows build has 5 to 10 % of its samples in them.
_BLOCKED = re.compile(
    r"runtime\.(?:cgocall|stdcall\d?|stdcall_no_g|asmstdcall.*|asmcgocall.*|semawakeup|semasleep|osyield.*|usleep.*|"
    r"netpoll)|syscall\.(?:Syscall.*|syscalln)|(?:internal/runtime/syscall/windows\.).*"
)


def blocked_and_gc(fetched: FetchedProfile) -> list[Reading]:
    """Samples of blocked threads (Windows only), and samples of garbage collection."""
    profile = fetched.profile
    count = profile.index_of("samples")
    if count is None or not is_cpu(profile):
        return []
    readings = [Reading(quality.CPU_GC, gc_value(profile, count))]
    if system_of(profile) is System.WINDOWS:
        blocked = sum(sample.values[count] for sample in profile.samples if is_blocked(profile.leaf_name(sample)))
        readings.append(Reading(quality.CPU_BLOCKED, blocked))
    return readings


def is_blocked(leaf: str) -> bool:
    """Whether the leaf is an entry to a system call: on Windows, a thread that can wait there without using CPU."""
    return _BLOCKED.fullmatch(leaf) is not None
