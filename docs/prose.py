"""The prose of docs/signals.md: one Markdown file for each failure mode, in docs/signals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pprof_exporter

FOLDER = Path(pprof_exporter.__file__).resolve().parents[2] / "docs" / "signals"
"""Beside the package, so that a copy of the project has its own."""

_HEADINGS = re.compile(r"^\*\*(?:Computation|Limits|Healthy values)\*\*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prose:
    """What is written on one failure mode, in Markdown; a part that is not written is empty.

    `meaning` explains its metrics, `computation` has sources, formula and guards, `limits` is what the metrics cannot
    show, `healthy` what real programs show.
    """

    text: str
    meaning: str = ""
    computation: str = ""
    limits: str = ""
    healthy: str = ""


def prose_of(mode: str) -> Prose:
    """The prose on a failure mode, by its number (`F1`)."""
    file = FOLDER / f"{mode}.md"
    text = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    return Prose(text, *(part.strip() for part in _HEADINGS.split(text, maxsplit=3)))
