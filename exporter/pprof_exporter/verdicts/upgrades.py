"""F7, F16, F17 and F20: what changed, and what that did."""

from __future__ import annotations

from pprof_exporter.catalog.regressions import Measure, measure_of
from pprof_exporter.profile import System
from pprof_exporter.store import Change, Summary
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    CheckOutcome,
    Finding,
    Level,
    VerdictLimits,
    healthy,
    joined,
    percent,
    seconds,
    unknown,
    wrong,
)

_WORDS = {
    Change.OPERATING_SYSTEM: "the operating system",
    Change.GO: "the version of Go",
    Change.MODULES: "modules from elsewhere",
    Change.BINARY: "the build",
}
_HOUR = 3600


def unexplained(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F7."""
    rest = snapshot.canary_at_rest
    if rest is None or rest.count + rest.unanswered < limit["canaries"]:
        return unknown("Too few cheap requests have been timed yet.")
    findings = (
        Finding(
            Level.WARNING,
            f"A request that costs nothing takes {seconds(rest.mean)} although no profile runs.",
            "PprofCanarySlow",
        )
        if rest.mean > limit["canary_slow"]
        else None,
    )
    return wrong(findings, healthy(f"A request that costs nothing takes {seconds(rest.mean)} while no profile runs."))


def upgraded(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F16."""
    recent = [_WORDS[change] for change, ago in snapshot.changes.items() if ago < limit["upgrade_told"]]
    if recent:
        ago = min(snapshot.changes.values())
        said = f"{joined(recent)} changed {_ago(ago)}.".capitalize()
        return CheckOutcome("", (Finding(Level.INFO, said, "PprofUpgraded"),))
    if not snapshot.fingerprinted:
        return unknown("Nothing is known yet of what the target runs on.")
    system = snapshot.system.value if snapshot.system else "an unknown system"
    return healthy(f"{snapshot.program} on {system}, Go {snapshot.go_version}: no change was seen.")


def _ago(passed: float) -> str:
    return f"{passed / _HOUR:.1f} hours ago" if passed >= _HOUR else f"{passed / 60:.0f} minutes ago"


def injected(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F17."""
    if snapshot.system is None:
        return unknown("No profile that lists modules has been read yet.")
    if snapshot.system is not System.WINDOWS:
        return unknown("Only on Windows do profiles list every module of a process.")
    findings = [
        Finding(Level.INFO, f"{joined(snapshot.foreign)} of neither Windows nor the program: in the process.", _FOREIGN)
        if snapshot.foreign
        else None
    ]
    return wrong(findings, healthy("Every module is of Windows or of the program."))


_FOREIGN = "PprofForeignModule"


def regressed(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F20."""
    comparison = snapshot.comparison
    if comparison is None:
        return unknown("There is no epoch before this one to compare with.")
    enough = {
        name: (measure, before, now)
        for name, (before, now) in comparison.signals.items()
        if (measure := measure_of(name)) and min(before.count, now.count) >= limit[measure.fewest]
    }
    if not enough:
        return unknown("Too little has been seen since the latest change for a comparison.")
    findings = [
        Finding(
            Level.WARNING,
            f"{name} went from {_value(name, before.p50)} to {_value(name, now.p50)}.",
            "PprofUpgradeRegression",
        )
        for name, (measure, before, now) in enough.items()
        if _worse(measure, before, now, snapshot, limit)
    ]
    return wrong(findings, healthy(f"None of {len(enough)} signals is worse than before the latest change."))


def _value(name: str, value: float) -> str:
    if "_seconds" in name:
        return seconds(value)
    return percent(value) if "_ratio" in name else f"{value:.3g}"


def _worse(measure: Measure, before: Summary, now: Summary, snapshot: TargetSnapshot, limit: VerdictLimits) -> bool:
    if measure.busy and (snapshot.audit_processors is None or snapshot.audit_processors < limit["tick_busy"]):
        return False
    if measure.same_go and Change.GO in snapshot.changes:
        return False
    ratio = now.p50 / before.p50 if before.p50 > 0 else None
    return measure.passed(limit, ratio=ratio, now=now.p50, change=now.p50 - before.p50)
