"""Pure checks: a fetched profile in, readings out. A new check is a new file here and a line in `CHECKS`."""

from __future__ import annotations

from pprof_exporter.health.clock import clock
from pprof_exporter.health.coverage import coverage
from pprof_exporter.health.gc import new_pauses, pauses_within, unseen_collections
from pprof_exporter.health.growth import Growth
from pprof_exporter.health.known_bugs import KnownBug, known_bugs
from pprof_exporter.health.losses import losses
from pprof_exporter.health.reading import Check, Fetched, Reading
from pprof_exporter.health.sampling import sampling
from pprof_exporter.health.stacks import stacks
from pprof_exporter.health.symbols import symbols
from pprof_exporter.health.ticks import TickAudit, audit
from pprof_exporter.health.waiting import waiting

CHECKS: tuple[Check, ...] = (coverage, losses, sampling, symbols, stacks, waiting, clock)


def judge(fetched: Fetched) -> tuple[Reading, ...]:
    """Every reading that one profile gives."""
    return tuple(reading for check in CHECKS for reading in check(fetched))


__all__ = [
    "CHECKS",
    "Check",
    "Fetched",
    "Growth",
    "KnownBug",
    "Reading",
    "TickAudit",
    "audit",
    "judge",
    "known_bugs",
    "new_pauses",
    "pauses_within",
    "unseen_collections",
]
