"""Profile checks, pure: a fetched profile in, readings out. A check is a file here and an entry of `PROFILE_CHECKS`.

Tests require a live fault that changes its readings (`exercises` in tests/seams/faults.py).
"""

from __future__ import annotations

from itertools import chain

from pprof_exporter.health.blocked_and_gc import blocked_and_gc
from pprof_exporter.health.coverage import coverage
from pprof_exporter.health.gc import new_pauses, pauses_within, unseen_collections
from pprof_exporter.health.goroutine_states import goroutine_states
from pprof_exporter.health.growth import GrowthTracker
from pprof_exporter.health.growth_parts import LifeParts, RecentParts, is_steady
from pprof_exporter.health.known_bugs import KNOWN_BUGS, KnownBug, known_bugs
from pprof_exporter.health.losses import losses
from pprof_exporter.health.reading import FetchedProfile, ProfileCheck, Reading
from pprof_exporter.health.sampling_clock import TickAudit, audit
from pprof_exporter.health.stacks import stacks
from pprof_exporter.health.symbols import symbols
from pprof_exporter.health.time_stamps import time_stamps

PROFILE_CHECKS: tuple[ProfileCheck, ...] = (
    coverage,
    losses,
    blocked_and_gc,
    symbols,
    stacks,
    goroutine_states,
    time_stamps,
)


def run_checks(fetched: FetchedProfile) -> tuple[Reading, ...]:
    """All readings of one profile."""
    return tuple(chain.from_iterable([check(fetched) for check in PROFILE_CHECKS]))


__all__ = [
    "KNOWN_BUGS",
    "PROFILE_CHECKS",
    "FetchedProfile",
    "GrowthTracker",
    "KnownBug",
    "LifeParts",
    "ProfileCheck",
    "Reading",
    "RecentParts",
    "TickAudit",
    "audit",
    "is_steady",
    "known_bugs",
    "new_pauses",
    "pauses_within",
    "run_checks",
    "unseen_collections",
]
