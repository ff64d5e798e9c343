"""Verdicts: a level and a sentence for each failure mode of a target, by the thresholds of the alerts.

An alert evaluates half an hour and more, a verdict the latest profiles; both have the same limits. A new failure mode
is a check in one of these files and a row in `VERDICT_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.verdicts import fetches, growth, latency, runtime, samples, upgrades
from pprof_exporter.verdicts.known_bugs import with_known_bugs
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.snapshot_of import snapshot_of
from pprof_exporter.verdicts.upgrades import recent_change
from pprof_exporter.verdicts.verdict import (
    BAD,
    CheckOutcome,
    Finding,
    Level,
    Note,
    Verdict,
    VerdictCheck,
    VerdictLimits,
    unknown,
    verdict_of,
)

VERDICT_CHECKS: dict[str, VerdictCheck] = {
    "F1": samples.missing_samples,
    "F2": samples.lost_samples,
    "F3": samples.uneven_sampling,
    "F4": samples.clock_errors,
    "F5": latency.slow_profiles,
    "F6": latency.stalls_while_profiled,
    "F7": upgrades.slow_canary,
    "F8": samples.missing_symbols,
    "F9": samples.truncated_stacks,
    "F10": growth.goroutine_growth,
    "F11": runtime.garbage_collection,
    "F12": growth.memory_growth,
    "F13": fetches.unreachable,
    "F14": fetches.profiler_conflict,
    "F15": fetches.refused_requests,
    "F16": upgrades.recent_changes,
    "F17": upgrades.injected_modules,
    "F18": runtime.lock_contention,
    "F19": fetches.profiling_cost,
    "F20": upgrades.regressions,
}


def verdicts(snapshot: TargetSnapshot, thresholds: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
    """The verdict on every failure mode, in their order. `thresholds` override those of the catalogue."""
    limits = VerdictLimits(thresholds)
    outcomes = {mode.id: _outcome(mode.id, snapshot, limits) for mode in FAILURE_MODES}
    if not snapshot.several:
        outcomes = with_known_bugs(outcomes, snapshot)
    return tuple(verdict_of(mode, outcomes[mode.id]) for mode in FAILURE_MODES)


# Of several processes behind one address, only these are not a mixture: whether it answers, and that it is several.
_OF_THE_ADDRESS = ("F13", "F16")


def _outcome(mode: str, snapshot: TargetSnapshot, limits: VerdictLimits) -> CheckOutcome:
    if snapshot.several and mode not in _OF_THE_ADDRESS:
        return unknown("Several processes answer at this address, so their profiles are not judged.")
    return VERDICT_CHECKS[mode](snapshot, limits)


def worst_level(found: tuple[Verdict, ...]) -> Level:
    """The worst level. Unknown counts only if every verdict is unknown."""
    bad = [level for level in BAD if any(one.level is level for one in found)]
    if bad:
        return bad[0]
    return Level.HEALTHY if any(one.level is Level.HEALTHY for one in found) else Level.UNKNOWN


__all__ = [
    "BAD",
    "VERDICT_CHECKS",
    "Finding",
    "Level",
    "Note",
    "TargetSnapshot",
    "Verdict",
    "recent_change",
    "snapshot_of",
    "verdicts",
    "worst_level",
]
