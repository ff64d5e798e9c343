"""The input and the output of a profile check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pprof_exporter.catalog import Family
from pprof_exporter.profile import Kind, Profile


@dataclass(frozen=True, slots=True)
class FetchedProfile:
    """A profile with the data of its fetch.

    `asked_at` is the Unix time of the request by the exporter's clock. `connected_after` and `took` are the seconds
    from then to the connection and to the last byte, without the window of `window` seconds. `asked_at` is None and
    the others are 0 for a profile from a file. `previous_nanos` is the time stamp of the profile of this kind that was
    fetched before. `cpu_used` is the CPU seconds that the process used within the window, by `cpu_source`; None:
    unknown.
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


class Reading(NamedTuple):
    """One measured value of a family; for a counter the increase by this profile.

    `value` is None if the profile cannot show it, which is neither 0 nor healthy. `labels` are those of the family
    besides `target` and `profile`.
    """

    family: Family
    value: float | None
    labels: tuple[tuple[str, str], ...] = ()


ProfileCheck = Callable[[FetchedProfile], list[Reading]]


def default_value_index(profile: Profile) -> int:
    """Index of the sample type for shares: the one that tools show by default.

    Without `default_sample_type` it is the last sample type (google/pprof, internal/driver/driver.go).
    """
    named = profile.index_of(profile.default_sample_type) if profile.default_sample_type else None
    return len(profile.sample_types) - 1 if named is None else named


def is_cpu(profile: Profile) -> bool:
    """Whether the profile has CPU time and a count of samples, as Go writes it."""
    return profile.index_of("cpu") is not None and profile.index_of("samples") is not None


def share_of(part: float, whole: float) -> float | None:
    """Share of the whole; None for an empty whole or a difference of profiles, where shares have no meaning."""
    return part / whole if whole > 0 and 0 <= part <= whole else None
