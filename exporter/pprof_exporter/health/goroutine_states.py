"""F10: what goroutines wait for."""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading
from pprof_exporter.profile import State, by_state


def goroutine_states(fetched: FetchedProfile) -> list[Reading]:
    """Goroutines by state, every state included, so that one which comes up starts from 0."""
    profile = fetched.profile
    if profile.sample_types[-1].type != "goroutine":
        return []
    counts = by_state(profile)
    return [Reading(quality.GOROUTINE_STATES, counts.get(state, 0), (("state", state),)) for state in State]
