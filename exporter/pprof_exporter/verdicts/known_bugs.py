"""Known bugs of a target's Go version in its verdicts: a note, or part of the finding that shows their effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pprof_exporter.catalog import Reason, content, sampling
from pprof_exporter.health import KnownBug
from pprof_exporter.health.known_bugs import CPU_BEYOND_CORES, GOROUTINE_STOP, SHARED_TIMER_CORES, WRITE_TIMEOUT
from pprof_exporter.verdicts.phrases import seconds
from pprof_exporter.verdicts.snapshot import TargetSnapshot
from pprof_exporter.verdicts.verdict import CheckOutcome, Finding, Note, noted

_ALERT = "PprofKnownBug"


def with_known_bugs(outcomes: Mapping[str, CheckOutcome], snapshot: TargetSnapshot) -> dict[str, CheckOutcome]:
    """The outcomes by failure mode with the known bugs of the target.

    A finding that shows the effect of a bug names it, in whatever failure mode. A bug without a measured effect is a
    note of the failure mode that it causes.
    """
    found = dict(outcomes)
    for bug in snapshot.bugs:
        shown = False
        for mode, outcome in found.items():
            findings = tuple(
                replace(one, said=f"{one.said} {_of(bug, snapshot)}") if _shows(one, bug, snapshot) else one
                for one in outcome.findings
            )
            if findings != outcome.findings:
                found[mode], shown = replace(outcome, findings=findings), True
        if not shown:
            found[bug.mode] = noted(found[bug.mode], [_note(bug, snapshot)])
    return found


def _shows(finding: Finding, bug: KnownBug, snapshot: TargetSnapshot) -> bool:
    if finding.alert not in bug.effects:
        return False
    if bug.id == CPU_BEYOND_CORES:
        busy = _busy(snapshot)
        return busy is not None and busy > SHARED_TIMER_CORES
    if bug.id == GOROUTINE_STOP:
        return finding.about == "goroutines"
    if bug.id == WRITE_TIMEOUT:
        return any(fetches.reason is Reason.WRITE_TIMEOUT for fetches in snapshot.fetches.values())
    return True


def _busy(snapshot: TargetSnapshot) -> float | None:
    """Processors that the process used in its latest CPU profile, by its own clock."""
    cpu = snapshot.profiles.get("cpu")
    used = cpu.reading(sampling.CPU_USED) if cpu else None
    profiled = cpu.sums.get(content.CPU_PROFILED) if cpu else None
    return used / profiled if used is not None and profiled else None


def _of(bug: KnownBug, snapshot: TargetSnapshot) -> str:
    fixed = f"; fixed in {bug.fixed_in}" if bug.fixed_in else ""
    return f"Go {snapshot.go_version} has {bug.id}: {bug.title}{fixed}."


def _note(bug: KnownBug, snapshot: TargetSnapshot) -> Note:
    served = _window_served(snapshot) if bug.id == WRITE_TIMEOUT else None
    if served:
        return Note(f"{_of(bug, snapshot)} Windows of {seconds(served)} are served.", _ALERT)
    return Note(_of(bug, snapshot), _ALERT)


def _window_served(snapshot: TargetSnapshot) -> float | None:
    """Length of the CPU window that the server sent last, None while it refuses one."""
    fetches, cpu = snapshot.fetches.get("cpu"), snapshot.profiles.get("cpu")
    if cpu is None or (fetches is not None and fetches.reason is not None):
        return None
    return cpu.sums.get(content.CPU_PROFILED)
