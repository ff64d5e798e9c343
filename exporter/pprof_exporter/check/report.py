"""The report of a check: the verdicts of each target, or why it could not be checked, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pprof_exporter.check.exit_codes import FINDINGS, HEALTHY, NOT_CHECKED, FailOn
from pprof_exporter.escaping import url_query
from pprof_exporter.scrape import TargetState
from pprof_exporter.verdicts import BAD, Level, Note, TargetSnapshot, Verdict, verdicts, worst_level


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target, live or saved. `problem` says why it could not be checked, "" if it was.

    `remarks` are notes that are not findings, such as skipped files.
    """

    name: str
    labels: Mapping[str, str]
    system: str
    program: str
    go_version: str
    verdicts: tuple[Verdict, ...]
    problem: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """The worst level."""
        return worst_level(self.verdicts)

    @property
    def about(self) -> str:
        """Program, system and Go version as a phrase; "" if none is known."""
        known = [
            self.program if self.program != "unknown" else "",
            f"on {self.system}" if self.system else "",
            f"Go {self.go_version}" if self.go_version != "unknown" else "",
        ]
        return " ".join(part for part in known if part)

    @property
    def notes(self) -> list[tuple[str, Note]]:
        """The notes with the failure mode under which each stands."""
        return [(verdict.failure_mode.id, note) for verdict in self.verdicts for note in verdict.notes]

    def counts(self) -> dict[Level, int]:
        """Number of failure modes by level, the worst first, without levels that do not occur."""
        levels = [verdict.level for verdict in self.verdicts]
        return {level: levels.count(level) for level in Level if level in levels}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The reports on all targets, the worst first."""

    targets: tuple[TargetReport, ...]
    fail_on: FailOn = FailOn.WARNING
    runbook_url: str = ""
    exporter_url: str = ""
    """URL of an exporter that scrapes the same targets; "" if none is known."""

    @property
    def exit_code(self) -> int:
        """0 healthy, 1 findings, 2 if a target could not be checked."""
        if any(one.problem for one in self.targets) or not self.targets:
            return NOT_CHECKED
        return FINDINGS if any(fails_check(one.level, self.fail_on) for one in self.targets) else HEALTHY

    def runbook(self, alert: str) -> str:
        """The URL of a runbook; "" if neither the runbook nor the exporter URL is set."""
        base = self.runbook_url or (f"{self.exporter_url.rstrip('/')}/runbooks" if self.exporter_url else "")
        return f"{base.rstrip('/')}/{alert}" if base else ""

    def evidence(self, one: TargetReport) -> str:
        """The exporter's page of saved profiles of a target with findings; "" without exporter or findings."""
        if not self.exporter_url or one.problem or one.level not in BAD:
            return ""
        return f"{self.exporter_url.rstrip('/')}/evidence?{url_query({'target': one.name})}"

    @property
    def summary(self) -> str:
        """The report in one line."""
        failed = [one for one in self.targets if one.problem]
        bad = [one for one in self.targets if not one.problem and one.level in BAD]
        parts = [
            f"{_targets(len(self.targets))}: {len(self.targets) - len(failed) - len(bad)} without findings"
            if len(self.targets) != 1
            else "",
            *(f"{one.name} {one.level} ({', '.join(_modes(one))})" for one in bad),
            *(f"{one.name} was not checked" for one in failed),
        ]
        text = "; ".join(part for part in parts if part)
        return text or f"{self.targets[0].name} has no findings"


def targets_worst_first(targets: Iterable[TargetReport]) -> tuple[TargetReport, ...]:
    """Targets that could not be checked first, then by level, then by name."""
    levels = list(Level)
    return tuple(sorted(targets, key=lambda one: (not one.problem, levels.index(one.level), one.name)))


@dataclass(frozen=True, slots=True)
class TargetAssessor:
    """Assesses the targets of one check, with thresholds that override the catalogue's, and labels to add."""

    thresholds: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def assess(
        self, state: TargetState, snapshot: TargetSnapshot, *, problem: str = "", remarks: Iterable[str] = ()
    ) -> TargetReport:
        """The verdicts on one target."""
        known = state.identity
        return TargetReport(
            name=state.target.name,
            labels=dict(state.target.labels),
            system=known.system.value if known.system else "",
            program=known.program,
            go_version=known.go_version,
            verdicts=verdicts(snapshot, self.thresholds),
            problem=problem,
            remarks=tuple(remarks),
        )

    def not_checked(self, name: str, problem: str) -> TargetReport:
        """The report on a target that could not be checked."""
        return TargetReport(name, dict(self.labels), "", "unknown", "unknown", (), problem)


def _modes(one: TargetReport) -> list[str]:
    return [verdict.failure_mode.id for verdict in one.verdicts if verdict.level is one.level]


def _targets(count: int) -> str:
    return f"{count} {'target' if count == 1 else 'targets'}"


def fails_check(level: Level, fail_on: FailOn) -> bool:
    """Whether a verdict of this level fails the check. Unknown never does."""
    if fail_on is FailOn.NEVER or level not in BAD:
        return False
    lowest = Level.WARNING if fail_on is FailOn.INFO else Level(fail_on.value)
    return BAD.index(level) <= BAD.index(lowest)
