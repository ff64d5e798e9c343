"""Every alert has a runbook with all sections written, and every runbook has an alert."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pprof_exporter.rules import ALERTS
from pprof_exporter.rules.runbooks import runbook
from tests.lab import PROJECT
from tests.seams.table import unmatched, unwritten

SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "What it is not")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def unfinished(alert: str, text: str) -> list[str]:
    """What a runbook lacks: its title, its first sentence, a section, a command to find the cause with."""
    head, *rest = _HEADING.split(text)
    title, _, first = head.partition("\n")
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    faults = [] if title == f"# {alert}" else [f"the runbook of {alert} has the title {title!r}"]
    faults += unwritten(f"the first sentence of the runbook of {alert}", first, words=3)
    if tuple(sections) != SECTIONS:
        missing = [section for section in SECTIONS if section not in sections]
        faults.append(f"the runbook of {alert} lacks {', '.join(missing) or 'the order of its sections'}")
    for section, body in sections.items():
        faults += unwritten(f"{section} in the runbook of {alert}", body, words=5)
    if "```" not in sections.get("Diagnosis", "```"):
        faults.append(f"Diagnosis in the runbook of {alert} has neither a command nor a query")
    return faults


def wanting(alerts: Iterable[str], texts: Mapping[str, str]) -> list[str]:
    """Alerts without a runbook, runbooks without an alert, and runbooks that are not finished."""
    faults = unmatched(alerts, texts, "runbook")
    return faults + [fault for alert, text in texts.items() for fault in unfinished(alert, text)]


def holes() -> list[str]:
    """What the package lacks."""
    alerts = {alert.name for alert in ALERTS}
    pages = {page.stem for page in (PROJECT / "rules" / "runbooks").glob("*.md")}
    found = {name: runbook(name) for name in sorted(alerts | pages)}
    return wanting(sorted(alerts), {name: text for name, text in found.items() if text is not None})
