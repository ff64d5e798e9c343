"""Targets to observations: fetching on a schedule, within bounds, with a reason for everything that goes wrong."""

from __future__ import annotations

from pprof_exporter.scrape.clock import Clock, SystemClock
from pprof_exporter.scrape.fetch import Fetcher
from pprof_exporter.scrape.freshness import fresh_until, is_fresh
from pprof_exporter.scrape.identity import Identity
from pprof_exporter.scrape.looks import default_profiles
from pprof_exporter.scrape.names import INDEX, MEMSTATS, STACKS
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.stacks import StacksState
from pprof_exporter.scrape.state import ProfileState, TargetState
from pprof_exporter.scrape.tally import Tally
from pprof_exporter.scrape.ticks import TickState

__all__ = [
    "INDEX",
    "MEMSTATS",
    "STACKS",
    "Clock",
    "Fetcher",
    "Identity",
    "Pool",
    "ProfileState",
    "StacksState",
    "SystemClock",
    "Tally",
    "TargetState",
    "TickState",
    "default_profiles",
    "fresh_until",
    "is_fresh",
]
