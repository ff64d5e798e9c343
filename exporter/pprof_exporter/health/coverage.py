"""F1: how much of the CPU time that a process used do its CPU samples account for.

Healthy programs show 0.94 to 1.15, and up to 1.8 on Windows when more threads want to run than there are processors,
since there a thread that waits for one is sampled too. A Go from 1.16 to 1.21 on Windows samples by a timer that ticks
at 64 Hz where 100 are assumed (golang/go 61665): 0.64.
"""

from __future__ import annotations

from pprof_exporter.catalog import sampling
from pprof_exporter.health.losses import LOST
from pprof_exporter.health.reading import Fetched, Reading, is_cpu
from pprof_exporter.health.sampling import is_blocked
from pprof_exporter.profile import NANOSECONDS, Profile, System, system_of

# With fewer samples to be expected, chance alone moves the ratio by more than a tenth.
MIN_EXPECTED = 100


def coverage(fetched: Fetched) -> list[Reading]:
    """Used and accounted CPU seconds, their ratio, and the effective rate; nothing where the use is unknown."""
    profile, used = fetched.profile, fetched.cpu_used
    if not is_cpu(profile) or used is None or not profile.period:
        return []
    source = (("source", fetched.cpu_source),)
    accounted = _accounted(profile)
    rate = NANOSECONDS / profile.period
    enough = used * rate >= MIN_EXPECTED
    ratio = accounted / used if enough else None
    return [
        Reading(sampling.CPU_USED, used, source),
        Reading(sampling.CPU_ACCOUNTED, accounted, source),
        Reading(sampling.CPU_COVERAGE, ratio),
        Reading(sampling.CPU_RATE, None if ratio is None else ratio * rate),
    ]


def _accounted(profile: Profile) -> float:
    index = profile.index_of("cpu")
    if index is None:
        return 0.0
    windows = system_of(profile) is System.WINDOWS
    nanoseconds = 0
    for sample in profile.samples:
        leaf = profile.leaf_name(sample)
        if leaf not in LOST and not (windows and is_blocked(leaf)):
            nanoseconds += sample.values[index]
    return nanoseconds / NANOSECONDS
