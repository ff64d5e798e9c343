"""A report of `check` as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pprof_exporter.check.report import CheckReport, TargetReport
from pprof_exporter.cli.inspect_table import plain
from pprof_exporter.verdicts import BAD, Level, Verdict

_STYLES = {
    Level.CRITICAL: "bold red",
    Level.WARNING: "bold yellow",
    Level.UNKNOWN: "dim",
    Level.HEALTHY: "green",
    Level.NOT_APPLICABLE: "dim",
}
# Failure modes that could not be measured come last.
_ORDER = (*BAD, Level.HEALTHY, Level.UNKNOWN, Level.NOT_APPLICABLE)
_LEVEL_WIDTH = max(len(level) for level in Level)
_DIM = (Level.UNKNOWN, Level.NOT_APPLICABLE)


def print_tables(report: CheckReport, console: Console | None = None) -> None:
    """A table for each target, the worst first, and all of it in one line at the end."""
    console = console or Console(highlight=False)
    for one in report.targets:
        console.print(_heading(one))
        if one.problem:
            console.print(Padding(plain(one.problem), (0, 0, 0, 2)))
        for remark in one.remarks:
            console.print(Padding(plain(remark), (0, 0, 0, 2)), style="dim")
        if one.verdicts and not one.problem:
            console.print(_table(report, one))
        if evidence := report.evidence(one):
            # In one piece, so that a terminal finds the address.
            console.print(Text(f"Saved profiles: {evidence}", f"cyan link {evidence}", overflow="fold"))
        console.print()
    # In a pipe it stays in one line, for grep.
    console.print(plain(f"{report.summary}."), style="bold", soft_wrap=not console.is_terminal)
    if not (report.runbook_url or report.exporter_url) and any(
        one.level in BAD and not one.problem for one in report.targets
    ):
        console.print(_WHERE, style="dim")


_WHERE = "The name after a finding is its runbook. The exporter serves runbooks under /runbooks/."


def _heading(one: TargetReport) -> Text:
    level = "not checked" if one.problem else one.level.words
    style = _STYLES[Level.CRITICAL if one.problem else one.level]
    about = f"  {one.about}" if one.about else ""
    return Text.assemble((f"{level}  ", style), (plain(one.name).plain, "bold"), plain(about))


def _table(report: CheckReport, one: TargetReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    table.add_column("level", no_wrap=True, min_width=_LEVEL_WIDTH)
    table.add_column("mode", no_wrap=True)
    table.add_column("verdict", overflow="fold", ratio=1)
    for level in _ORDER:
        for verdict in one.verdicts:
            if verdict.level is level:
                table.add_row(
                    Text(level.words, _STYLES[level]), verdict.failure_mode.id, Group(*_said(report, verdict))
                )
    return table


def _said(report: CheckReport, verdict: Verdict) -> Iterator[RenderableType]:
    """What is wrong and where it says what to do; of all else what was measured, dimmed."""
    if not verdict.findings:
        yield Text.assemble(plain(verdict.said), style="dim" if verdict.level in _DIM else "")
    for finding in verdict.findings:
        yield plain(finding.said)
        link = report.runbook(finding.alert)
        # In one piece, so that a terminal finds the address; the style makes it a link where that is known.
        yield Text(f"→ {link or finding.alert}", f"cyan link {link}" if link else "cyan", overflow="fold")
