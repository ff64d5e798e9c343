"""Pure checks: a fetched profile in, readings out. A new check is a new file here and a line in `PROFILE_CHECKS`."""

from __future__ import annotations

from pprof_exporter.health.blocked_samples import sampling
from pprof_exporter.health.coverage import coverage
from pprof_exporter.health.gc import new_pauses, pauses_within, unseen_collections
from pprof_exporter.health.growth import Growth
from pprof_exporter.health.known_bugs import KnownBug, known_bugs
from pprof_exporter.health.losses import losses
from pprof_exporter.health.reading import FetchedProfile, ProfileCheck, Reading
from pprof_exporter.health.sampling_clock import TickAudit, audit
from pprof_exporter.health.stacks import stacks
from pprof_exporter.health.symbols import symbols
from pprof_exporter.health.time_stamps import clock
from pprof_exporter.health.waiting import waiting

PROFILE_CHECKS: tuple[ProfileCheck, ...] = (coverage, losses, sampling, symbols, stacks, waiting, clock)


def run_checks(fetched: FetchedProfile) -> tuple[Reading, ...]:
    """Every reading that one profile gives."""
    return tuple(reading for check in PROFILE_CHECKS for reading in check(fetched))


__all__ = [
    "PROFILE_CHECKS",
    "FetchedProfile",
    "Growth",
    "KnownBug",
    "ProfileCheck",
    "Reading",
    "TickAudit",
    "audit",
    "known_bugs",
    "new_pauses",
    "pauses_within",
    "run_checks",
    "unseen_collections",
]
