"""F1: how much of the CPU time that a process used do its CPU samples account for.

Healthy programs show 0.94 to 1.15, and up to 1.8 on Windows when more threads want to run than there are processors,
since there a thread that waits for one is sampled too. A Go from 1.16 to 1.21 on Windows samples by a timer that ticks
at 64 Hz where 100 are assumed (golang/go 61665): 0.64.
"""

from __future__ import annotations

from pprof_exporter.catalog import sampling
from pprof_exporter.health.blocked_and_gc import is_blocked
from pprof_exporter.health.losses import LOST
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu
from pprof_exporter.profile import NANOSECONDS, Profile, System, system_of

# With fewer samples to be expected, chance alone moves the ratio by more than a tenth.
MIN_EXPECTED = 100
# What healthy programs show and more is no loss, whatever the samples in system calls stand for.
CLEARLY_COVERED = 0.9


def coverage(fetched: FetchedProfile) -> list[Reading]:
    """Used and accounted CPU seconds, their ratio, and the effective rate; nothing where the use is unknown.

    A sample within a system call on Windows stands for a thread that waits, or for one that the kernel works for, and
    nothing tells which. Where such samples could be all that is missing, nothing is said but the seconds used.
    """
    profile, used = fetched.profile, fetched.cpu_used
    if not is_cpu(profile) or used is None or not profile.period:
        return []
    source = (("source", fetched.cpu_source),)
    accounted, within_calls = _accounted(profile)
    if accounted < CLEARLY_COVERED * used and used <= accounted + within_calls:
        return [
            Reading(sampling.CPU_UNDECIDED, used, source),
            Reading(sampling.CPU_COVERAGE, None),
            Reading(sampling.CPU_RATE, None),
        ]
    rate = NANOSECONDS / profile.period
    enough = used * rate >= MIN_EXPECTED
    ratio = accounted / used if enough else None
    return [
        Reading(sampling.CPU_USED, used, source),
        Reading(sampling.CPU_ACCOUNTED, accounted, source),
        Reading(sampling.CPU_COVERAGE, ratio),
        Reading(sampling.CPU_RATE, None if ratio is None else ratio * rate),
    ]


def _accounted(profile: Profile) -> tuple[float, float]:
    """CPU seconds of the samples outside system calls, and within them (which only Windows takes)."""
    index = profile.index_of("cpu")
    if index is None:
        return 0.0, 0.0
    windows = system_of(profile) is System.WINDOWS
    outside = within = 0
    for sample in profile.samples:
        leaf = profile.leaf_name(sample)
        if windows and is_blocked(leaf):
            within += sample.values[index]
        elif leaf not in LOST:
            outside += sample.values[index]
    return outside / NANOSECONDS, within / NANOSECONDS
