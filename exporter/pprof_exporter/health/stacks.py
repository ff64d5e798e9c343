"""F9: stacks of the greatest depth that the runtime records are cut, with few exceptions.

Go does not mark cut stacks. CPU stacks end at 64 frames in every version (runtime.maxCPUProfStack); the others at 32 up
to Go 1.22 and at 128 since, unless GODEBUG=profstackdepth sets another depth (runtime/mprof.go). A profile does not
show either whether a stack ends at its root: Go omits runtime.goexit, so that the last frame is the function that the
goroutine was started with.
"""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading, default_value_index, is_cpu, share_of
from pprof_exporter.profile import Profile, go_version_from_profile, totals
from pprof_exporter.profile.aggregate import value_by_depth
from pprof_exporter.profile.goversion import stack_limit

_LIMITS = (32, 128)

# A heap profile has about one allocation for each period of bytes (runtime.MemProfileRate, half a MiB), so that a small
# heap has one to three of them. One that was made 32 frames deep, such as when the handler of a text page flushes its
# reply (Go 1.21), is then most of the profile, and does not describe the program. Among 20 it is a twentieth.
MIN_ALLOCATIONS = 20


def stacks(fetched: FetchedProfile) -> list[Reading]:
    """Share of value in stacks of exactly the greatest depth that the runtime records.

    Unknown if a stack is deeper than every known limit, since the program has then set its own, and for bytes of fewer
    than `MIN_ALLOCATIONS` sampled allocations.
    """
    profile = fetched.profile
    index = default_value_index(profile)
    if profile.sample_types[index].type == "threadcreate":
        return []
    depths = value_by_depth(profile, index)
    deepest = max(depths, default=0)
    limit = _limit(profile, deepest)
    if limit is None:
        return [Reading(quality.TRUNCATED, None)]
    total = totals(profile)[index]
    if profile.period_type.type == "space" and total < MIN_ALLOCATIONS * profile.period:
        return [Reading(quality.TRUNCATED, None)]
    return [Reading(quality.TRUNCATED, share_of(depths.get(limit, 0), total))]


def _limit(profile: Profile, deepest: int) -> int | None:
    """The limit in force: by the version, if the profile shows it, else the first limit that no stack exceeds."""
    known = stack_limit(go_version_from_profile(profile), cpu=is_cpu(profile))
    if known:
        return known if deepest <= known else None
    return next((limit for limit in _LIMITS if deepest <= limit), None)
