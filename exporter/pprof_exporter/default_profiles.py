"""What is fetched from a target by default, and how often: every profile kind, and what is fetched besides profiles."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import CANARY, MEMSTATS, STACKS
from pprof_exporter.config.profiles import ProfileSettings
from pprof_exporter.profile.kinds import KINDS

_CANARY_EVERY = 30.0
_MEMSTATS_EVERY = 300.0
# Below the threshold `profile_stale`, so that an old success stands for a failure.
_MEMSTATS_BESIDE_PAGE = 1500.0
_STACKS_EVERY = 600.0


def default_profiles() -> dict[str, ProfileSettings]:
    """Default interval and window of everything that is fetched besides the index page, by name."""
    kinds = {name: ProfileSettings(kind.interval, kind.window) for name, kind in KINDS.items()}
    return kinds | {
        CANARY: ProfileSettings(_CANARY_EVERY),
        MEMSTATS: ProfileSettings(_MEMSTATS_EVERY, beside_page=_MEMSTATS_BESIDE_PAGE),
        STACKS: ProfileSettings(_STACKS_EVERY, enabled=False),
    }
