"""Scrapes targets: HTTP client, state of each target, collectors, discovery and probes."""

from __future__ import annotations

from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.identity.identity import Identity
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.auxiliary import SamplingClockState, StacksState
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.freshness import fresh_until, is_fresh
from pprof_exporter.scrape.state.target_state import ProfileState, TargetState

__all__ = [
    "FetchCounters",
    "Fetcher",
    "Identity",
    "Pool",
    "ProfileState",
    "SamplingClockState",
    "StacksState",
    "TargetState",
    "fresh_until",
    "is_fresh",
]
