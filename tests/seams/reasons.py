"""Every reason has a group and its explanation, and the alerts on known bugs name those of the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.health import KNOWN_BUGS
from pprof_exporter.rules import ALERTS, Alert
from tests.seams.table import unmatched, unwritten


def without_group(groups: Mapping[str, str | None], known: Iterable[str]) -> list[str]:
    """Reasons without a group, and groups without a reason; `groups` has the group of each reason."""
    faults = [f"{reason} has no group" for reason, group in groups.items() if not group]
    return faults + unmatched(known, filter(None, groups.values()), "reason")


def without_explanation(texts: Mapping[str, tuple[str, str]]) -> list[str]:
    """Reasons whose meaning or advice is not written."""
    return [
        fault
        for reason, (meaning, advice) in texts.items()
        for where, text in (("meaning", meaning), ("advice", advice))
        for fault in unwritten(f"{where} of {reason}", text, words=2)
    ]


def without_alert(bugs: Mapping[str, str], hanging: Iterable[str], alerts: Iterable[Alert]) -> list[str]:
    """Bugs that the alerts do not name as the table does: each by its failure mode, hanging ones in a warning too."""
    faults = []
    known = [alert for alert in alerts if alert.name == "PprofKnownBug"]
    named = {bug: alert.mode for alert in known if alert.severity is Severity.INFO for bug in _bugs(alert)}
    faults += [f"{bug} has no alert on known bugs" for bug in bugs if bug not in named]
    faults += [f"{bug} is no known bug" for bug in named if bug not in bugs]
    faults += [
        f"{bug} is of {bugs[bug]}, its alert of {mode}" for bug, mode in named.items() if bugs.get(bug, mode) != mode
    ]
    warned = {bug for alert in known if alert.severity is Severity.WARNING for bug in _bugs(alert)}
    return faults + unmatched(hanging, warned, "warning of known bugs")


def _bugs(alert: Alert) -> list[str]:
    return [bug for found in re.findall(r'bug=~?"([^"]+)"', alert.expr) for bug in found.split("|")]


def holes() -> list[str]:
    """What the package lacks."""
    return [
        *without_group({reason: reason.group for reason in Reason}, ReasonGroup),
        *without_explanation({reason: (reason.meaning, reason.advice) for reason in Reason}),
        *without_alert({bug.id: bug.mode for bug in KNOWN_BUGS}, [bug.id for bug in KNOWN_BUGS if bug.hangs], ALERTS),
    ]
