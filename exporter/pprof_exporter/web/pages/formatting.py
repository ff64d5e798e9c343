"""How pages write what they show: names in links, times that passed, levels."""

from __future__ import annotations

import time

from pprof_exporter.escaping import html_text, url_part
from pprof_exporter.verdicts import Level

_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"))

LEVEL_WORDS = {
    Level.CRITICAL: "critical",
    Level.WARNING: "warning",
    Level.UNKNOWN: "unknown",
    Level.HEALTHY: "healthy",
    Level.NOT_APPLICABLE: "not applicable",
}


def target_path(name: str) -> str:
    """The page of a target."""
    return f"/targets/{url_part(name, safe=':')}"


def runbook_path(alert: str, target: str) -> str:
    """The runbook of an alert, with the target in its commands."""
    return f"/runbooks/{alert}?target={url_part(target, safe=':')}"


def evidence_path(target: str) -> str:
    """Path of the evidence of a target."""
    return f"/evidence?target={url_part(target, safe=':')}"


def finding_path(id_: str, file: str = "") -> str:
    """Path of a saved finding, or of one of its files."""
    return f"/evidence/{url_part(id_)}" + (f"/{url_part(file)}" if file else "")


def ago(passed: float) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`."""
    for size, unit in _STEPS:
        if passed >= size:
            return f"{passed / size:.0f} {unit} ago"
    return f"{max(0.0, passed):.0f} s ago"


def byte_size(size: float) -> str:
    """Bytes as text: `812 B`, `4.1 KiB`, `64 MiB`."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def utc_moment(at: float) -> str:
    """Unix time as a person reads it, on one line: `2026-11-26 16:03:01 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at)).replace(" ", "\N{NO-BREAK SPACE}")


def badge(level: Level, text: str = "", link: str = "") -> str:
    """A word in the colour of its level; HTML."""
    words = html_text(text or LEVEL_WORDS[level])
    inner = f'<a href="{html_text(link)}">{words}</a>' if link else words
    return f'<span class="badge {level}">{inner}</span>'
