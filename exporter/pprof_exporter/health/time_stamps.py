"""F4: time stamps of profiles compared with the exporter's clock, with each other, and with the requested window.

The time stamp of a CPU profile is its start, that of a snapshot the moment when it was made (runtime/pprof/proto.go).
On Windows time stamps have steps of up to 16 ms, so smaller differences have no meaning.
"""

from __future__ import annotations

from pprof_exporter.catalog import quality
from pprof_exporter.health.reading import FetchedProfile, Reading
from pprof_exporter.profile import NANOSECONDS

# Two steps of the Windows clock.
_STEP_NANOS = 32_000_000


def time_stamps(fetched: FetchedProfile) -> list[Reading]:
    """Skew, steps backwards, and error of the window; nothing for a profile without a time stamp."""
    profile = fetched.profile
    if fetched.asked_at is None or not profile.time_nanos:
        return []
    offset = fetched.connected_after if fetched.window else fetched.took / 2
    stamped = profile.time_nanos / NANOSECONDS
    back = fetched.previous_nanos is not None and profile.time_nanos < fetched.previous_nanos - _STEP_NANOS
    readings = [
        Reading(quality.CLOCK_SKEW, stamped - fetched.asked_at - offset),
        Reading(quality.CLOCK_REGRESSIONS, int(back)),
    ]
    if fetched.window:
        covered = profile.duration_nanos / NANOSECONDS
        readings.append(Reading(quality.WINDOW_ERROR, covered - fetched.window if covered else None))
    return readings
