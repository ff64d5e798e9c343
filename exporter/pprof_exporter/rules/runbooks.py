"""The runbooks: one Markdown page for each alert."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

EXAMPLE_TARGET = "shop:6060"
EXAMPLE_URL = f"http://{EXAMPLE_TARGET}/debug/pprof"
"""The example target in the commands of every runbook, and its pprof URL."""


def runbook(alert: str) -> str | None:
    """The Markdown of an alert's runbook; None if there is none of this name."""
    page = _folder() / f"{alert}.md"
    return page.read_text(encoding="utf-8") if alert.isalnum() and page.is_file() else None


def _folder() -> Traversable:
    """In a wheel the pages are beside this module, in a checkout with the rules."""
    packed = files("pprof_exporter.rules") / "runbooks"
    return packed if packed.is_dir() else Path(__file__).resolve().parents[3] / "rules" / "runbooks"
