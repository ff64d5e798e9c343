"""F8: whether a profile has function names, or only addresses."""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading, default_value_index, share_of
from pprof_exporter.profile import Profile, totals
from pprof_exporter.profile.aggregate import value_without_symbol

# Go writes thread creation as one degenerate stack without symbols (runtime/pprof.writeThreadCreate, all versions).
_WITHOUT_SYMBOLS = "threadcreate"

# About one location in ten has inlined calls. In heap, block and mutex profiles of idle programs, with 4 to 13
# locations, that is none to three by chance, and the same ones until the program restarts.
MIN_LOCATIONS = 20


def symbols(fetched: FetchedProfile) -> list[Reading]:
    """Share of value in stacks with a location that has no symbol, and share of locations with inlined calls.

    The latter is unknown for fewer than `MIN_LOCATIONS`.
    """
    profile = fetched.profile
    index = _index_of_value(profile)
    if profile.sample_types[index].type == _WITHOUT_SYMBOLS:
        return []
    columns = profile.columns
    enough = columns.locations >= MIN_LOCATIONS
    return [
        Reading(quality.UNSYMBOLIZED, share_of(value_without_symbol(profile, index), totals(profile)[index])),
        Reading(quality.INLINED, share_of(columns.inlined, columns.locations) if enough else None),
    ]


def _index_of_value(profile: Profile) -> int:
    """Index of the sample type that tools show by default or, where its total is 0, of the last one with a total.

    A small program has nothing of a heap profile in use between two collections of garbage, and stacks of what it
    allocated nevertheless.
    """
    index = default_value_index(profile)
    sums = totals(profile)
    return index if sums[index] else next((i for i in reversed(range(len(sums))) if sums[i]), index)
