"""A check report in machine-readable formats: JSON, JUnit, Markdown, and GitHub Actions workflow commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from pprof_exporter.check.report import CheckReport, TargetReport, fails_check
from pprof_exporter.escaping import (
    json_text,
    markdown_address,
    markdown_link,
    markdown_text,
    workflow_line,
    workflow_message,
    workflow_property,
    xml_text,
)
from pprof_exporter.verdicts import BAD, Finding, Level, Note, Verdict

_FORMAT = "pprof-exporter check"
_VERSION = 1

_LEVEL_MARKS = {Level.CRITICAL: "🟥", Level.WARNING: "🟧", Level.UNKNOWN: "⬜", Level.HEALTHY: "🟩"}
_LEVEL_MARKS[Level.NOT_APPLICABLE] = _LEVEL_MARKS[Level.UNKNOWN]


def check_json(report: CheckReport, exporter: str) -> str:
    """One object. Its keys are stable for scripts; docs/ci.md describes them. `exporter` is the version."""
    return json_text(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "exporter": exporter,
            "exit_code": report.exit_code,
            "fail_on": report.fail_on.value,
            "summary": report.summary,
            "targets": [_object(report, one) for one in report.targets],
        },
        indent=2,
    )


def _object(report: CheckReport, one: TargetReport) -> dict[str, Any]:
    return {
        "target": one.name,
        "labels": dict(one.labels),
        "system": one.system or None,
        "program": None if one.program == "unknown" else one.program,
        "go_version": None if one.go_version == "unknown" else one.go_version,
        "level": one.level.value,
        "problem": one.problem or None,
        "remarks": list(one.remarks),
        "evidence": report.evidence(one) or None,
        "verdicts": [
            {
                "mode": verdict.failure_mode.id,
                "title": verdict.failure_mode.title,
                "level": verdict.level.value,
                "said": verdict.said,
                "findings": [
                    {
                        "level": finding.level.value,
                        "said": finding.said,
                        "alert": finding.alert,
                        "runbook": report.runbook(finding.alert) or None,
                    }
                    for finding in verdict.findings
                ],
                "notes": [
                    {"said": note.said, "runbook": (note.alert and report.runbook(note.alert)) or None}
                    for note in verdict.notes
                ],
            }
            for verdict in one.verdicts
        ],
    }


def check_junit(report: CheckReport) -> str:
    """One suite for each target, one case for each failure mode: failed, skipped if unknown, or passed.

    A target that could not be checked is one case with an error.
    """
    root = ET.Element("testsuites", name="pprof-exporter check")
    for one in report.targets:
        suite = ET.SubElement(root, "testsuite", name=xml_text(one.name))
        if one.problem:
            case = ET.SubElement(suite, "testcase", classname=xml_text(one.name), name="check the target")
            ET.SubElement(case, "error", message=xml_text(one.problem))
        for verdict in one.verdicts:
            _case(report, suite, one, verdict)
        _count(suite, suite)
    _count(root, root)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _case(report: CheckReport, suite: ET.Element, one: TargetReport, verdict: Verdict) -> None:
    name = f"{verdict.failure_mode.id} {verdict.failure_mode.title}"
    case = ET.SubElement(suite, "testcase", classname=xml_text(one.name), name=name)
    lines = xml_text("\n".join(f"{finding.level}: {_with_runbook(report, finding)}" for finding in verdict.findings))
    if fails_check(verdict.level, report.fail_on):
        ET.SubElement(case, "failure", type=verdict.level.value, message=xml_text(verdict.said)).text = lines
    elif verdict.level in (Level.UNKNOWN, Level.NOT_APPLICABLE):
        ET.SubElement(case, "skipped", message=xml_text(verdict.said))
    shown = verdict.level in BAD and not fails_check(verdict.level, report.fail_on)
    said = [lines if shown else "", verdict.said if verdict.level is Level.HEALTHY else ""]
    said += [f"note: {note.said}" for note in verdict.notes]
    if text := xml_text("\n".join(part for part in said if part)):
        ET.SubElement(case, "system-out").text = text


def _count(element: ET.Element, of: ET.Element) -> None:
    cases = list(of.iter("testcase"))
    element.set("tests", str(len(cases)))
    for name, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(child) is not None for case in cases)))


def check_markdown(report: CheckReport) -> str:
    """Findings as a table for each target, the rest and the notes collapsed; for a comment or a job summary."""
    parts = [f"## pprof-exporter check\n\n{markdown_text(report.summary)}.\n"]
    for one in report.targets:
        about = f" ({markdown_text(one.about)})" if one.about else ""
        parts.append(f"### {_LEVEL_MARKS[_shown(one)]} {markdown_text(one.name)}{about}\n")
        if one.problem:
            parts.append(f"Not checked: {markdown_text(one.problem)}\n")
        parts += [f"{markdown_text(remark)}\n" for remark in one.remarks]
        bad = [verdict for level in BAD for verdict in one.verdicts if verdict.level is level]
        if bad:
            parts.append(_table(report, bad))
        if evidence := report.evidence(one):
            parts.append(f"Saved profiles: {markdown_address(evidence)}\n")
        rest = [verdict for verdict in one.verdicts if verdict.level not in BAD]
        if rest and not one.problem:
            counts = ", ".join(f"{count} {level}" for level, count in one.counts().items() if level not in BAD)
            rows = "\n".join(
                _row(verdict.level, verdict.failure_mode.id, markdown_text(verdict.said), "") for verdict in rest
            )
            parts.append(f"<details><summary>{counts}</summary>\n\n{_HEAD}{rows}\n\n</details>\n")
        if one.notes and not one.problem:
            rows = "\n".join(f"- {mode}: {markdown_text(note.said)}{_more(report, note)}" for mode, note in one.notes)
            parts.append(f"<details><summary>Notes ({len(one.notes)})</summary>\n\n{rows}\n\n</details>\n")
    return "\n".join(parts)


_HEAD = "| | | verdict | what to do |\n| --- | --- | --- | --- |\n"


def _table(report: CheckReport, bad: list[Verdict]) -> str:
    rows = (
        _row(finding.level, verdict.failure_mode.id, markdown_text(finding.said), _linked(report, finding))
        for verdict in bad
        for finding in verdict.findings
    )
    return _HEAD + "\n".join(rows) + "\n"


def _row(level: Level, mode: str, said: str, advice: str) -> str:
    return f"| {_LEVEL_MARKS[level]} {level} | {mode} | {said} | {advice} |"


def _more(report: CheckReport, note: Note) -> str:
    link = report.runbook(note.alert) if note.alert else ""
    return f" {markdown_link('Runbook', link)}" if link else ""


def _linked(report: CheckReport, finding: Finding) -> str:
    link = report.runbook(finding.alert)
    return markdown_link(finding.alert, link) if link else finding.alert


def _shown(one: TargetReport) -> Level:
    return Level.CRITICAL if one.problem else one.level


def check_github(report: CheckReport) -> Iterator[str]:
    """Workflow commands, one a line: an annotation for each finding and each target that could not be checked.

    A finding that fails the exit code is an error or a warning, any other a notice. Notes have no annotation. The last
    line is the report in a sentence.
    """
    for one in report.targets:
        if one.problem:
            yield _command("error", f"{one.name}: not checked", one.problem)
            continue
        for verdict in one.verdicts:
            for finding in verdict.findings:
                kind = _KINDS[finding.level] if fails_check(finding.level, report.fail_on) else "notice"
                title = f"{one.name}: {verdict.failure_mode.id} {verdict.failure_mode.title}"
                yield _command(kind, title, _with_runbook(report, finding))
    yield workflow_line(f"{report.summary}.")


_KINDS = {Level.CRITICAL: "error", Level.WARNING: "warning"}


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={workflow_property(title)}::{workflow_message(message)}"


def _with_runbook(report: CheckReport, finding: Finding) -> str:
    return f"{finding.said} What to do: {report.runbook(finding.alert) or finding.alert}"
