"""Readings by name, and recorded profiles made ill."""

from __future__ import annotations

from collections.abc import Iterable

from pprof_exporter.health import FetchedProfile, Reading
from pprof_exporter.profile import Profile, Sample
from tests.profile.changed import called, changed


def by_name(readings: Iterable[Reading]) -> dict[str, float | None]:
    """Value per family, with the label values behind the name where there are any besides the source."""
    values: dict[str, float | None] = {}
    for reading in readings:
        labels = [value for name, value in reading.labels if name != "source"]
        name = " ".join([reading.family.name, *labels])
        assert name not in values
        values[name] = reading.value
    return values


def value(fetched: FetchedProfile, readings: Iterable[Reading], name: str) -> float | None:
    """The one reading of that name."""
    found = by_name(readings)
    assert name in found, f"{name} is not among {sorted(found)} of {fetched.profile.sample_types}"
    return found[name]


def with_sample(profile: Profile, stack: Iterable[str], values: tuple[int, ...]) -> Profile:
    """The profile and one sample more; a name of "" is a place without a symbol."""
    places = called(stack, first=max(profile.locations, default=0) + 1)
    samples = (*profile.samples, Sample(tuple(places), values, ()))
    return changed(profile, locations={**profile.locations, **places}, samples=samples)


def scaled(profile: Profile, factor: float) -> Profile:
    """The profile with each value times a factor, as if so many samples had been taken."""
    samples = tuple(
        sample._replace(values=tuple(round(value * factor) for value in sample.values)) for sample in profile.samples
    )
    return changed(profile, samples=samples)
