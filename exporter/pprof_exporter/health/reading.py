"""What a check takes and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pprof_exporter.catalog import Family
from pprof_exporter.profile import Kind, Profile


@dataclass(frozen=True, slots=True)
class FetchedProfile:
    """A profile with what is known about how it was had.

    `asked_at` is Unix time of the request on the exporter's clock, `connected_after` and `took` are seconds from then
    to the connection and to the last byte, less the window of `window` seconds. They are None, and `window` 0, for a
    profile from a file. `previous_nanos` is the time stamp of the profile of this kind that was fetched before.
    `cpu_used` is the CPU seconds that the process used within the window, told by `cpu_source`; None: unknown.
    """

    profile: Profile
    kind: Kind | None = None
    asked_at: float | None = None
    connected_after: float = 0
    took: float = 0
    window: float = 0
    previous_nanos: int | None = None
    cpu_used: float | None = None
    cpu_source: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value of a family; of a counter it is what this profile adds.

    `value` is None where the profile cannot tell, which is neither 0 nor healthy. `labels` are those of the family
    besides `target` and `profile`.
    """

    family: Family
    value: float | None
    labels: tuple[tuple[str, str], ...] = ()


ProfileCheck = Callable[[FetchedProfile], list[Reading]]


def main_value(profile: Profile) -> int:
    """Index of the sample type that shares are taken of: the one that tools show first.

    Without `default_sample_type` it is the last sample type (google/pprof, internal/driver/driver.go).
    """
    named = profile.index_of(profile.default_sample_type) if profile.default_sample_type else None
    return len(profile.sample_types) - 1 if named is None else named


def is_cpu(profile: Profile) -> bool:
    """Whether the profile is one of CPU time with a count of samples beside it, as Go writes it."""
    return profile.index_of("samples") is not None and profile.index_of("cpu") is not None


def share_of(part: float, whole: float) -> float | None:
    """Share of the whole, or None of an empty whole or of a difference of profiles, where shares mean nothing."""
    return part / whole if whole > 0 and 0 <= part <= whole else None
