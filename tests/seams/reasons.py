"""Every reason has a group and its explanation, and the alert on bugs that hang a process names those of the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.health import KNOWN_BUGS
from pprof_exporter.rules import ALERTS
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


def without_alert(hanging: Iterable[str], expressions: Iterable[str]) -> list[str]:
    """Bugs that hang the process and are not in the matchers on `bug`, and the other way round."""
    matchers = [found for expression in expressions for found in re.findall(r'bug[!=]~"([^"]+)"', expression)]
    faults = [] if matchers else ["no alert asks for bugs that hang the process"]
    return faults + [fault for one in matchers for fault in unmatched(hanging, one.split("|"), "alert on known bugs")]


def holes() -> list[str]:
    """What the package lacks."""
    return [
        *without_group({reason: reason.group for reason in Reason}, ReasonGroup),
        *without_explanation({reason: (reason.meaning, reason.advice) for reason in Reason}),
        *without_alert(
            [bug.id for bug in KNOWN_BUGS if bug.hangs],
            [alert.expr for alert in ALERTS if alert.name == "PprofKnownBug"],
        ),
    ]
