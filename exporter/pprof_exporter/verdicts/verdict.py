"""What is said of one failure mode of one target, and how a check comes to say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.catalog.failure_modes import FailureMode
from pprof_exporter.catalog.thresholds import BY_NAME
from pprof_exporter.verdicts.snapshot import TargetSnapshot


class Level(StrEnum):
    """How bad it is, the worst first. `unknown` is neither good nor bad: it could not be measured."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


BAD = (Level.CRITICAL, Level.WARNING, Level.INFO)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, as a sentence with its figures; `alert` is that whose runbook says what to do."""

    level: Level
    said: str
    alert: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look says of one failure mode.

    `findings` are there if something is wrong, the worst first; otherwise `said` tells what was measured, or why
    nothing could be.
    """

    failure_mode: FailureMode
    level: Level
    said: str
    findings: tuple[Finding, ...] = ()


class VerdictLimits:
    """The thresholds of the alerts by name; `given` takes the place of those in the catalogue."""

    def __init__(self, given: Mapping[str, float] | None = None) -> None:
        self._given = dict(given or {})

    def __getitem__(self, name: str) -> float:
        return self._given.get(name, BY_NAME[name].value)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found: things that are wrong, or one sentence on why nothing is. `known` is false for unknown."""

    said: str
    findings: tuple[Finding, ...] = ()
    known: bool = True


VerdictCheck = Callable[[TargetSnapshot, VerdictLimits], CheckOutcome]


def healthy(said: str) -> CheckOutcome:
    """It was measured, and is well."""
    return CheckOutcome(said)


def unknown(said: str) -> CheckOutcome:
    """It could not be measured; the sentence says why."""
    return CheckOutcome(said, known=False)


def wrong(findings: Iterable[Finding | None], otherwise: CheckOutcome) -> CheckOutcome:
    """The findings that there are, or else `otherwise`."""
    found = tuple(finding for finding in findings if finding is not None)
    return CheckOutcome("", found) if found else otherwise


def verdict(failure_mode: FailureMode, outcome: CheckOutcome) -> Verdict:
    """The outcome of a check as the verdict on its failure mode."""
    findings = tuple(sorted(outcome.findings, key=lambda finding: BAD.index(finding.level)))
    if findings:
        return Verdict(failure_mode, findings[0].level, findings[0].said, findings)
    return Verdict(failure_mode, Level.HEALTHY if outcome.known else Level.UNKNOWN, outcome.said)


def percent(share: float) -> str:
    """A share as text: `7 %`, `0.4 %`."""
    return f"{100 * share:.2g} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"


def seconds(value: float) -> str:
    """A time as text, with three digits: `1.25 s`, `12.5 ms`."""
    return f"{value:.3g} s" if abs(value) >= 1 else f"{1000 * value:.3g} ms"


def joined(names: Iterable[str]) -> str:
    """`heap`, `heap and block`, `heap, block and mutex`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
