"""How pages write what they show: names in links, times that passed, levels."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from pprof_exporter.verdicts import Level

_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"))

LEVEL_WORDS = {
    Level.CRITICAL: "critical",
    Level.WARNING: "warning",
    Level.INFO: "worth knowing",
    Level.UNKNOWN: "unknown",
    Level.HEALTHY: "healthy",
}


def target_path(name: str) -> str:
    """The page of a target."""
    return f"/targets/{quote(name, safe=':')}"


def runbook_path(alert: str, target: str) -> str:
    """The runbook of an alert, with the target in its commands."""
    return f"/runbooks/{alert}?target={quote(target, safe=':')}"


def ago(passed: float) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`."""
    for size, unit in _STEPS:
        if passed >= size:
            return f"{passed / size:.0f} {unit} ago"
    return f"{max(0.0, passed):.0f} s ago"


def badge(level: Level, text: str = "", link: str = "") -> str:
    """A word in the colour of its level; HTML."""
    words = escape(text or LEVEL_WORDS[level])
    inner = f'<a href="{escape(link)}">{words}</a>' if link else words
    return f'<span class="badge {level}">{inner}</span>'
