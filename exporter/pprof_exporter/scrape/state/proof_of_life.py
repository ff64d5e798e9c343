"""Whether profiles prove that a target is up whose index page is missing: they can be mounted one by one without it."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import CANARY, INDEX
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.target_state import TargetState


def answers_without_index(state: TargetState, now: float) -> bool:
    """Whether they do at `now` (Unix time).

    They do if one came since the page was last seen. Until then those from before count, so that a page that is lost
    alone does not look like an outage; the first profile that fails too ends that.
    """
    came = max((counters.last_success or 0.0 for counters in _proofs(state)), default=0.0)
    if came <= now - _rarest(state):
        return False
    return came >= state.index_lost_at or not state.failed_since_index


def _proofs(state: TargetState) -> list[FetchCounters]:
    """The counters of what only pprof can send. The canary is left out: other servers send text too."""
    return [counters for name, counters in state.counters.items() if name not in (INDEX, CANARY)]


def _rarest(state: TargetState) -> float:
    """The seconds without any profile after which the target does not count as up."""
    settings = state.settings
    intervals = [settings.profiles[name].interval for name in state.profiles]
    return max(3 * settings.index_interval, 2.5 * min(intervals, default=0.0))
