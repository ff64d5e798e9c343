"""F8: can a reader of the profile see functions, or only addresses."""

from __future__ import annotations

from pprof_exporter.health.signal import Signal, main_value, ratio
from pprof_exporter.profile import Location, Profile

# Go writes thread creation as one degenerate stack without symbols (runtime/pprof.writeThreadCreate, all versions).
_WITHOUT_SYMBOLS = "threadcreate"


def symbols(profile: Profile) -> list[Signal]:
    """Share of value in stacks with a location that has no symbol, and share of locations with inlined calls."""
    index = main_value(profile)
    healthy_without = profile.sample_types[index].type == _WITHOUT_SYMBOLS
    total = blind = 0
    for sample in profile.samples:
        value = sample.values[index]
        total += value
        if any(map(_has_no_symbol, sample.stack)):
            blind += value
    inlined = sum(len(location.lines) > 1 for location in profile.locations)
    return [
        Signal(
            "unsymbolized_ratio",
            None if healthy_without else ratio(blind, total),
            "share of the value in stacks with a location that has no function name",
        ),
        Signal(
            "inlined_location_ratio",
            None if healthy_without else ratio(inlined, len(profile.locations)),
            "share of locations that hold inlined calls",
        ),
    ]


def _has_no_symbol(location: Location) -> bool:
    return not any(line.function.name for line in location.lines)
