"""F10: goroutines by state."""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading
from pprof_exporter.profile import GoroutineState, goroutines_by_state

_LABELS = {state: (("state", state),) for state in GoroutineState}
_NONE = {state: Reading(quality.GOROUTINE_STATES, 0, labels) for state, labels in _LABELS.items()}


def goroutine_states(fetched: FetchedProfile) -> list[Reading]:
    """Goroutines by state. Every state has a reading, so that a new one starts from 0."""
    profile = fetched.profile
    if profile.sample_types[-1].type != "goroutine":
        return []
    readings = _NONE.copy()
    for state, count in goroutines_by_state(profile).items():
        readings[state] = Reading(quality.GOROUTINE_STATES, count, _LABELS[state])
    return list(readings.values())
