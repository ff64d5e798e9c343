"""F2: samples that the Go runtime itself counts as lost, or records under a catch-all name."""

from __future__ import annotations

from collections import Counter

from pprof_exporter.catalog import Family, quality
from pprof_exporter.health.reading import FetchedProfile, Reading, is_cpu
from pprof_exporter.profile.aggregate import value_by_ends
from pprof_exporter.profile.function_names.traits import LOST_FUNCTIONS, OPAQUE_FUNCTIONS, Trait

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
    for (leaf, root), value in value_by_ends(profile, count, Trait.LOST | Trait.OPAQUE).items():
        if leaf in _FAMILIES:
            seen[leaf] += value
        elif root in OPAQUE_FUNCTIONS:
            seen[root] += value
    return [Reading(family, seen[name], (("function", name),)) for name, family in _FAMILIES.items()]
