"""F1 and F11: CPU samples of blocked threads, and of garbage collection.

On Windows the profiler's thread samples every thread that is not parked, even one that is in a system call and uses no
CPU (runtime/os_windows.go profileLoop). Such samples are recognised by their leaf.
"""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu
from pprof_exporter.profile import System, system_of
from pprof_exporter.profile.aggregate import value_with_frame, value_with_leaf
from pprof_exporter.profile.function_names.traits import Trait


def blocked_and_gc(fetched: FetchedProfile) -> list[Reading]:
    """Samples of blocked threads (Windows only), and samples of garbage collection.

    While a collection runs, Go reserves a quarter of the processors for marking. Assists of goroutines that allocate
    come on top (runtime/mgcpacer.go gcBackgroundUtilization).
    """
    profile = fetched.profile
    count = profile.index_of("samples")
    if count is None or not is_cpu(profile):
        return []
    readings = [Reading(quality.CPU_GC, value_with_frame(profile, count, Trait.COLLECTOR))]
    if system_of(profile) is System.WINDOWS:
        readings.append(Reading(quality.CPU_BLOCKED, value_with_leaf(profile, count, Trait.BLOCKED)))
    return readings
