"""How long a value stays valid. A series that no longer changes would hide that its target fails."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS
from pprof_exporter.config import Settings
from pprof_exporter.scrape.state.auxiliary import MemStatsState
from pprof_exporter.scrape.state.counters import FetchCounters

_INTERVALS = 2.5
# Seconds. A clock adjustment sets the clock back by less.
_AHEAD = 5.0

T = TypeVar("T")


def is_fresh(at: float, name: str, counters: FetchCounters, *, settings: Settings, now: float) -> bool:
    """Whether the values that `name` gave at `at` (Unix time) are still valid."""
    return is_valid(at, fresh_until(at, name, counters, settings=settings), now)


def is_valid(at: float, until: float, now: float) -> bool:
    """Whether values of the time `at` that are valid until another are so `now`.

    After the clock was set back, earlier values seem to come from the future, and their age is unknown.
    """
    return at - _AHEAD <= now <= until


def fresh_until(at: float, name: str, counters: FetchCounters, *, settings: Settings) -> float:
    """The Unix time until which the values that `name` gave at `at` are valid.

    That is for 2.5 intervals, plus the longest deferral while a fetch is deferred.
    """
    interval = settings.index_interval if name == INDEX else settings.profiles[name].interval
    return _until(at, interval, counters, settings)


def memstats_fresh_until(memstats: MemStatsState, *, settings: Settings) -> float:
    """The same for what only heap?debug=1 tells. It is fetched less often while the metrics page tells the rest."""
    own, counters = settings.profiles[MEMSTATS], memstats.counters
    until = _until(memstats.at, own.interval, counters, settings)
    if own.beside_page is None or memstats.page_at is None:
        return until
    longer = _until(memstats.at, own.beside_page, counters, settings)
    return max(until, min(longer, _until(memstats.page_at, own.interval, counters, settings)))


def _until(at: float, interval: float, counters: FetchCounters, settings: Settings) -> float:
    deferral = settings.defer_at_most if counters.deferring else 0
    return at + _INTERVALS * interval + settings.timeout + deferral


def drop_older(readings: deque[tuple[float, T]], than: float) -> None:
    """Drop the readings of `than` (Unix time) and before. They are oldest first."""
    while readings and readings[0][0] <= than:
        readings.popleft()
