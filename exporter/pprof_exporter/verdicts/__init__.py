"""Verdicts: a level and a sentence for each failure mode of a target, by the thresholds of the alerts.

An alert judges half an hour and more, a verdict what is in sight now; both have the same limits. A new failure mode is
a check in one of these files and a row in `VERDICT_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.verdicts import fetches, samples, targets, upgrades
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.snapshot_of import snapshot_of
from pprof_exporter.verdicts.verdict import BAD, Finding, Level, Verdict, VerdictCheck, VerdictLimits, verdict

VERDICT_CHECKS: dict[str, VerdictCheck] = {
    "F1": samples.missing,
    "F2": samples.lost,
    "F3": samples.uneven,
    "F4": samples.clocks,
    "F5": targets.slow,
    "F6": targets.stalls,
    "F7": upgrades.unexplained,
    "F8": samples.blind,
    "F9": samples.cut,
    "F10": targets.pile_up,
    "F11": targets.collector,
    "F12": targets.memory,
    "F13": fetches.unreachable,
    "F14": fetches.conflict,
    "F15": fetches.refused,
    "F16": upgrades.upgraded,
    "F17": upgrades.injected,
    "F18": targets.contention,
    "F19": fetches.costly,
    "F20": upgrades.regressed,
}


def verdicts(snapshot: TargetSnapshot, thresholds: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
    """The verdict on every failure mode, in their order. `thresholds` takes the place of those of the catalogue."""
    limits = VerdictLimits(thresholds)
    return tuple(verdict(mode, VERDICT_CHECKS[mode.id](snapshot, limits)) for mode in FAILURE_MODES)


def worst(found: tuple[Verdict, ...]) -> Level:
    """The worst level; unknown is worse than healthy only if nothing is known at all."""
    bad = [level for level in BAD if any(one.level is level for one in found)]
    if bad:
        return bad[0]
    return Level.HEALTHY if any(one.level is Level.HEALTHY for one in found) else Level.UNKNOWN


__all__ = ["BAD", "VERDICT_CHECKS", "Finding", "Level", "TargetSnapshot", "Verdict", "snapshot_of", "verdicts", "worst"]
