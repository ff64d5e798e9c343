"""F7, F16, F17 and F20: what changed, and what became worse."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    SAMPLED_PROCESSORS,
    USED_PROCESSORS,
    Measure,
    go_line,
    measure_of,
)
from pprof_exporter.profile import System
from pprof_exporter.store import Change, Comparison, Summary, is_latency
from pprof_exporter.verdicts.phrases import joined, moment, percent, seconds, size
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    EXPORTER_OVERLOADED,
    CheckOutcome,
    Finding,
    Level,
    Note,
    VerdictLimits,
    healthy,
    not_applicable,
    noted,
    unknown,
    wrong,
)

_WORDS = {
    Change.OPERATING_SYSTEM: "the operating system",
    Change.GO: "the Go version",
    Change.MODULES: "foreign modules",
    Change.BINARY: "the build",
}
_NAMES = {
    Change.OPERATING_SYSTEM: "operating system",
    Change.GO: "Go",
    Change.MODULES: "foreign modules",
    Change.BINARY: "build",
}


def slow_canary(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F7: canary requests are slow while no profile runs."""
    if snapshot.overloaded:
        return unknown(EXPORTER_OVERLOADED)
    rest = snapshot.canary_at_rest
    if rest is None or rest.count + rest.unanswered < limit["canaries"]:
        known = rest.count + rest.unanswered if rest else 0
        return unknown(f"{limit['canaries']:.0f} cheap requests without a profile are needed; {known} were made.")
    findings = (
        Finding(
            Level.WARNING,
            f"The median of cheap requests is {seconds(rest.median)} although no profile runs.",
            "PprofCanarySlow",
        )
        if rest.median > limit["canary_slow"]
        else None,
    )
    return wrong(findings, healthy(f"The median of cheap requests is {seconds(rest.median)} while no profile runs."))


def recent_changes(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F16: the target was changed, or its address leads to several processes."""
    if snapshot.several:
        return CheckOutcome("", (Finding(Level.WARNING, _SEVERAL, "PprofSeveralProcesses"),))
    recent = recent_change(snapshot, limit)
    notes = [Note(recent, "PprofUpgraded")] if recent else []
    if snapshot.go_version.endswith("+"):
        notes.append(Note(f"The Go version is {snapshot.go_version[:-1]} or later; {_EXACT}"))
    if not snapshot.fingerprinted:
        said = "The system and the build of the target are not known yet; profiles and its metrics page show them."
        return noted(unknown(said), notes)
    system = snapshot.system.value if snapshot.system else "an unknown system"
    said = f"{snapshot.program} on {system}, Go {snapshot.go_version}"
    return noted(healthy(f"{said}." if recent else f"No recent change: {said}."), notes)


def recent_change(snapshot: TargetSnapshot, limit: VerdictLimits) -> str:
    """What changed lately, and when: `Changed 2026-11-28 23:10 UTC: Go 1.24.11 to 1.27.3.`; "" if nothing did.

    It has the time of the change, not how long ago that is, because it is read later too.
    """
    by_moment: dict[str, list[str]] = {}
    for change in Change:
        passed = snapshot.changes.get(change, math.inf)
        if passed < limit["upgrade_told"]:
            by_moment.setdefault(moment(snapshot.at - passed), []).append(_said(change, snapshot))
    return " ".join(f"Changed {at}: {joined(changes)}." for at, changes in sorted(by_moment.items(), reverse=True))


_EXACT = "its metrics page (go_info) or a trace has the exact one, without which no known bug is named."
_SEVERAL = (
    "Several processes answer at this address, as behind a load balancer, and their profiles cannot be told apart. "
    "Configure the address of each process."
)


def _said(change: Change, snapshot: TargetSnapshot) -> str:
    """A change with its values, where they are known: `Go 1.24.11 to 1.27.3`."""
    values = snapshot.changed.get(change)
    return f"{_NAMES[change]} {values[0]} to {values[1]}" if values else _WORDS[change]


def injected_modules(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F17: foreign modules are in the process."""
    if snapshot.system is None:
        return unknown("No profile that lists modules has been read yet.")
    if snapshot.system is not System.WINDOWS:
        return not_applicable("Profiles list every module of a process on Windows only.")
    if not snapshot.foreign:
        return healthy("Every module belongs to Windows or to the program.")
    note = Note(f"Modules of neither Windows nor the program: {joined(snapshot.foreign)}.", "PprofForeignModule")
    return noted(healthy("No harm by foreign modules is measured."), [note])


def regressions(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F20: signals are worse since a change."""
    comparison = snapshot.comparison
    if comparison is None:
        return unknown(
            "There is no earlier epoch to compare with; one begins with each change of system, Go, modules or build."
        )
    signals = comparison.signals.items()
    enough = {
        name: (measure, before, now)
        for name, (before, now) in signals
        if not (snapshot.overloaded and is_latency(name))
        and (measure := measure_of(name))
        and min(before.count, now.count) >= limit[measure.min_observations]
    }
    if not enough:
        return unknown("Too few values were measured before or after the latest change to compare them.")
    findings = [
        Finding(
            Level.WARNING,
            f"The median of {name} went from {_value(name, before.p50)} to {_value(name, now.p50)}"
            f"{_compared(measure, comparison, name)}.",
            "PprofUpgradeRegression",
        )
        for name, (measure, before, now) in enough.items()
        if _worse(measure, before, now, _Judged(snapshot, comparison, name, limit))
    ]
    return wrong(findings, healthy(f"None of {len(enough)} signals is worse than before the latest change."))


def _compared(measure: Measure, comparison: Comparison, name: str) -> str:
    control, load = comparison.control.get(name), comparison.load.get(name)
    if control is not None:
        return f"; on targets that were not upgraded it changed by a factor of {control:.2g}"
    if measure.follows_load and load is not None:
        return f"; the CPU time that the target uses changed by a factor of {load:.2g}"
    return ""


def _value(name: str, value: float) -> str:
    """A value in the unit of the signal."""
    if name == CONTENTION:
        return f"{value:.2g} s per second"
    if name == ALLOCATION:
        return f"{size(value)} per second"
    if name.endswith("_bytes"):
        return size(value)
    if name in (USED_PROCESSORS, SAMPLED_PROCESSORS):
        return f"{value:.2g} processors"
    if "_seconds" in name:
        return seconds(value)
    return percent(value) if "_ratio" in name else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What decides about one signal besides its values."""

    snapshot: TargetSnapshot
    comparison: Comparison
    name: str
    limit: VerdictLimits


def _worse(measure: Measure, before: Summary, now: Summary, judged: _Judged) -> bool:
    snapshot, limit = judged.snapshot, judged.limit
    if measure.busy and (snapshot.audit_processors is None or snapshot.audit_processors < limit["tick_busy"]):
        return False
    if measure.same_go and Change.GO in snapshot.changed:
        return False
    if measure.by_design(*map(go_line, snapshot.changed.get(Change.GO, ("", "")))):
        return False
    comparison, name = judged.comparison, judged.name
    expected = measure.expected_growth(comparison.control.get(name), comparison.load.get(name))
    if expected is None:
        return False
    # What became more for all, or with the load, is no effect of the upgrade.
    ratio = now.p50 / before.p50 / expected if before.p50 > 0 else None
    return measure.is_exceeded(limit, ratio=ratio, now=now.p50, change=now.p50 - before.p50)
