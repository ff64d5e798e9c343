"""F2: samples that the Go runtime itself counts as lost, or records under a catch-all name."""

from __future__ import annotations

from collections import Counter

from pprof_exporter.catalog import Family, quality
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu

# Leaf functions that stand for events which could not be recorded (runtime/cpuprof.go, runtime/pprof/proto.go).
LOST_FUNCTIONS = ("runtime/pprof.lostProfileEvent", "runtime._LostExternalCode", "runtime._LostSIGPROFDuringAtomic64")
# Functions that stand for a stack that could not be unwound (runtime/proc.go sigprof): callers of the one known
# function, or of _ExternalCode if that function is not Go's.
OPAQUE_FUNCTIONS = ("runtime._System", "runtime._GC", "runtime._ExternalCode")

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(LOST_FUNCTIONS, quality.CPU_LOST),
    **dict.fromkeys(OPAQUE_FUNCTIONS, quality.CPU_OPAQUE),
}


def losses(fetched: FetchedProfile) -> list[Reading]:
    """Samples under each of these names. Zeros are included, so that the first loss is an increase."""
    profile = fetched.profile
    count = profile.index_of("samples")
    if count is None or not is_cpu(profile):
        return []
    seen: Counter[str] = Counter()
    for sample in profile.samples:
        leaf, root = profile.leaf_name(sample), profile.root_name(sample)
        if leaf in _FAMILIES:
            seen[leaf] += sample.values[count]
        elif root in OPAQUE_FUNCTIONS:
            seen[root] += sample.values[count]
    return [Reading(family, seen[name], (("function", name),)) for name, family in _FAMILIES.items()]
