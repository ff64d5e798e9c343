"""F10: goroutines by state."""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading
from pprof_exporter.profile import GoroutineState, goroutines_by_state

_STATES = tuple((state, (("state", state),)) for state in GoroutineState)


def goroutine_states(fetched: FetchedProfile) -> list[Reading]:
    """Goroutines by state. Every state has a reading, so that a new one starts from 0."""
    profile = fetched.profile
    if profile.sample_types[-1].type != "goroutine":
        return []
    counts = goroutines_by_state(profile)
    return [Reading(quality.GOROUTINE_STATES, counts.get(state, 0), labels) for state, labels in _STATES]
