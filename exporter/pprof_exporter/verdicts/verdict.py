"""Verdicts, findings, and the outcome of the check of one failure mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pprof_exporter.catalog.failure_modes import FailureMode
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.verdicts.snapshot import TargetSnapshot


class Level(StrEnum):
    """Severity of a verdict, the worst first.

    `unknown` is neither good nor bad: it could not be measured. `not_applicable`: the system does not have this failure
    mode, or does not show it.
    """

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    NOT_APPLICABLE = "not_applicable"

    @property
    def words(self) -> str:
        """The level as text for people."""
        return self.value.replace("_", " ")


EXPORTER_OVERLOADED = "The exporter is overloaded: the latencies that it measures include its own delay."
"""Why no latency is judged."""

BAD = (Level.CRITICAL, Level.WARNING)


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, as a sentence with its figures. The runbook of `alert` says what to do."""

    level: Level
    said: str
    alert: str
    about: str = ""
    """The profile or the cause that the finding is about, where known bugs need it."""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact about a target on which nobody has to act. It changes no level, count, colour, exit code or evidence."""

    said: str
    alert: str = ""
    """The alert of severity info whose runbook explains the note; "" if there is none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one failure mode of one snapshot.

    `findings` are the problems, the worst first. Without any, `said` states what was measured, or why nothing could be
    measured. `notes` do not touch the level.
    """

    failure_mode: FailureMode
    level: Level
    said: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()


class VerdictLimits:
    """The thresholds of the alerts by name; `overrides` replace those of the catalogue."""

    def __init__(self, overrides: Mapping[str, float] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def __getitem__(self, name: str) -> float:
        return self._overrides.get(name, THRESHOLDS_BY_NAME[name].value)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of a check: findings, or one sentence and the level without any; and notes."""

    said: str
    findings: tuple[Finding, ...] = ()
    otherwise: Level = Level.HEALTHY
    notes: tuple[Note, ...] = ()


VerdictCheck = Callable[[TargetSnapshot, VerdictLimits], CheckOutcome]


def healthy(said: str) -> CheckOutcome:
    """Measured, and healthy."""
    return CheckOutcome(said)


def unknown(said: str) -> CheckOutcome:
    """Not measured; the sentence says why."""
    return CheckOutcome(said, otherwise=Level.UNKNOWN)


def not_applicable(said: str) -> CheckOutcome:
    """The system of the target cannot have this failure mode, or cannot show it; the sentence says why."""
    return CheckOutcome(said, otherwise=Level.NOT_APPLICABLE)


def wrong(findings: Iterable[Finding | None], otherwise: CheckOutcome) -> CheckOutcome:
    """The outcome of the findings that are not None, or `otherwise` if there are none."""
    found = tuple(finding for finding in findings if finding is not None)
    return CheckOutcome("", found) if found else otherwise


def noted(outcome: CheckOutcome, notes: Iterable[Note | None]) -> CheckOutcome:
    """The same outcome with the notes that are not None."""
    return replace(outcome, notes=(*outcome.notes, *(note for note in notes if note is not None)))


def verdict_of(failure_mode: FailureMode, outcome: CheckOutcome) -> Verdict:
    """The verdict on a failure mode by the outcome of its check."""
    findings = tuple(sorted(outcome.findings, key=lambda finding: BAD.index(finding.level)))
    if findings:
        return Verdict(failure_mode, findings[0].level, findings[0].said, findings, outcome.notes)
    return Verdict(failure_mode, outcome.otherwise, outcome.said, (), outcome.notes)
