"""F1: the share of the used CPU time that CPU samples account for.

Busy programs show 0.94 to 1.15, and up to 1.8 on Windows if more threads want to run than there are processors, since
Windows builds also sample a thread that waits for one. Light ones show less on Linux, which samples no burst between
two kernel ticks (docs/coverage.md). Go 1.16 to 1.21 on Windows samples by a timer of 64 Hz where 100 Hz are assumed
(golang/go 61665): 0.64.
"""

from __future__ import annotations

from pprof_exporter.catalog import sampling
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu
from pprof_exporter.profile import NANOSECONDS, Profile, System, system_of, totals
from pprof_exporter.profile.aggregate import value_with_leaf
from pprof_exporter.profile.function_names.traits import Trait

# With fewer expected samples, chance alone changes the ratio by more than a tenth.
MIN_EXPECTED = 100
# A ratio that healthy programs show, or a higher one, is no loss, whatever the samples in system calls stand for.
CLEARLY_COVERED = 0.9


def coverage(fetched: FetchedProfile) -> list[Reading]:
    """Used and accounted CPU seconds, their ratio, and the effective rate; nothing if the used time is unknown.

    A sample within a system call on Windows stands for a thread that waits, or for one that the kernel works for, and
    the profile does not show which. If such samples can explain all missing time, only the used seconds are reported.
    """
    profile, used = fetched.profile, fetched.cpu_used
    if not is_cpu(profile) or used is None or not profile.period:
        return []
    source = (("source", fetched.cpu_source),)
    accounted, within_calls = accounted_seconds(profile)
    if accounted < CLEARLY_COVERED * used and used <= accounted + within_calls:
        return [
            Reading(sampling.CPU_UNDECIDED, used, source),
            Reading(sampling.CPU_COMPARED, 0),
            Reading(sampling.CPU_COVERAGE, None),
            Reading(sampling.CPU_RATE, None),
        ]
    rate = NANOSECONDS / profile.period
    enough = used * rate >= MIN_EXPECTED
    ratio = accounted / used if enough else None
    return [
        Reading(sampling.CPU_USED, used, source),
        Reading(sampling.CPU_ACCOUNTED, accounted, source),
        Reading(sampling.CPU_COMPARED, 1),
        Reading(sampling.CPU_COVERAGE, ratio),
        Reading(sampling.CPU_RATE, None if ratio is None else ratio * rate),
    ]


def accounted_seconds(profile: Profile) -> tuple[float, float]:
    """CPU seconds that the samples outside system calls stand for, without lost ones, and those within (on Windows)."""
    index = profile.index_of("cpu")
    if index is None:
        return 0.0, 0.0
    lost = value_with_leaf(profile, index, Trait.LOST)
    within = 0
    if system_of(profile) is System.WINDOWS:
        within = value_with_leaf(profile, index, Trait.BLOCKED)
    outside = totals(profile)[index] - within - lost
    return outside / NANOSECONDS, within / NANOSECONDS
