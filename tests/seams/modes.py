"""A failure mode has a verdict, an alert, a panel, its prose in docs/signals, and a section in docs/concepts.md."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from docs.prose import prose_of
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.rules import ALERTS
from pprof_exporter.verdicts import VERDICT_CHECKS
from tests.dashboards.test_families import IN_PANELS, exposed, grounds
from tests.lab import PROJECT
from tests.seams.table import unmatched, unwritten

METHODS = ("F21",)
"""What docs/concepts.md numbers as a failure mode and the exporter does not watch for: how to upgrade by steps."""

_SECTION = re.compile(r"^### (F\d+) .+\n((?:(?!#).*\n?)*)", re.MULTILINE)
_PROSE = ("meaning", "computation", "limits", "healthy")


def without_verdict(modes: Iterable[str], checks: Iterable[str]) -> list[str]:
    """Modes that no check judges, and checks of other modes."""
    return unmatched(modes, checks, "verdict")


def without_alert(modes: Iterable[str], alerts: Iterable[str]) -> list[str]:
    """Modes that no alert has, and modes of alerts that do not exist; "" is the exporter itself."""
    return unmatched(modes, filter(None, alerts), "alert")


def without_panel(families: Mapping[str, Collection[str]], drawn: Collection[str]) -> list[str]:
    """Modes of which no family is drawn; `families` has those that tell of each mode."""
    return [f"{mode} has no panel" for mode, told_by in families.items() if not set(told_by) & set(drawn)]


def without_prose(texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Modes with a part of their prose that is not written; `texts` has the parts by mode and name."""
    return [
        fault
        for mode, fields in texts.items()
        for field, text in fields.items()
        for fault in unwritten(f"{field} of {mode}", text, words=1)
    ]


def without_section(modes: Iterable[str], page: str) -> list[str]:
    """Modes without a section of their own on the page of concepts, and sections that are not written."""
    sections = {mode: text for mode, text in _SECTION.findall(page) if mode not in METHODS}
    faults = unmatched(modes, sections, "section in docs/concepts.md")
    for mode, text in sections.items():
        faults += unwritten(f"the section of {mode} in docs/concepts.md", text, words=5)
    return faults


def holes() -> list[str]:
    """What the package lacks."""
    modes = [mode.id for mode in FAILURE_MODES]
    names = exposed()
    page = (PROJECT / "docs" / "concepts.md").read_text(encoding="utf-8")
    return [
        *without_verdict(modes, VERDICT_CHECKS),
        *without_alert(modes, (alert.mode for alert in ALERTS)),
        *without_panel(
            {mode.id: {family.name for family in mode.families} for mode in FAILURE_MODES},
            {names[name] for name in grounds(IN_PANELS) if name in names},
        ),
        *without_prose(
            {mode.id: {field: getattr(prose_of(mode.id), field) for field in _PROSE} for mode in FAILURE_MODES}
        ),
        *without_section(modes, page),
    ]
