"""Until when what was read still stands: a series that stands still looks healthy and is not."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.config import Settings
from pprof_exporter.scrape.state.counters import FetchCounters

_INTERVALS = 2.5
# A clock that is only adjusted goes back by less than this many seconds.
_AHEAD = 5.0


def is_fresh(at: float, name: str, counters: FetchCounters, *, settings: Settings, now: float) -> bool:
    """Whether what was read of this name at this Unix time still stands.

    After the clock was set back, what was read before seems to come from the future: nobody knows how old it is.
    """
    return at - _AHEAD <= now <= fresh_until(at, name, counters, settings=settings)


def fresh_until(at: float, name: str, counters: FetchCounters, *, settings: Settings) -> float:
    """Until which Unix time it stands: for 2.5 intervals. What is put off holds for as long as it may be put off."""
    interval = settings.index_interval if name == INDEX else settings.profiles[name].interval
    timeout = settings.defer_at_most if counters.deferring else 0
    return at + _INTERVALS * interval + settings.timeout + timeout
