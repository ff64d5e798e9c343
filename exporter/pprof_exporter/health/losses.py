"""F2: samples that the Go runtime itself counts as lost, or books under a catch-all name."""

from __future__ import annotations

from collections import Counter

from pprof_exporter.catalog import Family, quality
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu

# Leaf functions that stand for events which could not be recorded (runtime/cpuprof.go, runtime/pprof/proto.go).
LOST = ("runtime/pprof.lostProfileEvent", "runtime._LostExternalCode", "runtime._LostSIGPROFDuringAtomic64")
# Functions that stand for the stack of a sample where it could not be walked (runtime/proc.go sigprof): below the one
# function that is known, or below _ExternalCode, where not even that is Go's.
OPAQUE = ("runtime._System", "runtime._GC", "runtime._ExternalCode")

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(LOST, quality.CPU_LOST),
    **dict.fromkeys(OPAQUE, quality.CPU_OPAQUE),
}


def losses(fetched: FetchedProfile) -> list[Reading]:
    """Samples under each of these names, 0 included, so that the first loss is an increase."""
    profile = fetched.profile
    count = profile.index_of("samples")
    if count is None or not is_cpu(profile):
        return []
    seen: Counter[str] = Counter()
    for sample in profile.samples:
        leaf, root = profile.leaf_name(sample), profile.root_name(sample)
        if leaf in _FAMILIES:
            seen[leaf] += sample.values[count]
        elif root in OPAQUE:
            seen[root] += sample.values[count]
    return [Reading(family, seen[name], (("function", name),)) for name, family in _FAMILIES.items()]
