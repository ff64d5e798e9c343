"""The result of a check on one profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pprof_exporter.profile import Profile


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured value; None where this profile cannot tell, which is neither 0 nor healthy."""

    name: str
    value: float | None
    meaning: str


Check = Callable[[Profile], list[Signal]]


def main_value(profile: Profile) -> int:
    """Index of the sample type that shares are taken of: the one that tools show first, which is the last by default.

    Without `default_sample_type` it is the last sample type (google/pprof, internal/driver/driver.go sampleFormat).
    """
    named = profile.index_of(profile.default_sample_type) if profile.default_sample_type else None
    return len(profile.sample_types) - 1 if named is None else named


def ratio(part: float, whole: float) -> float | None:
    """Share of the whole, or None of an empty whole or of a difference of profiles, where shares mean nothing."""
    return part / whole if whole > 0 and part >= 0 else None
