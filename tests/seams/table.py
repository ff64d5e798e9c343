"""What every seam asks: is each name in the table, is each row of the table a name, is each text written."""

from __future__ import annotations

import re
from collections.abc import Iterable

PLACEHOLDER = re.compile(r"\b(TODO|FIXME|TBD|XXX)\b|\?\?\?|lorem ipsum", re.IGNORECASE)


def unmatched(names: Iterable[str], table: Iterable[str], what: str) -> list[str]:
    """Names without a row in the table, and rows for names that do not exist."""
    known, rows = list(dict.fromkeys(names)), list(dict.fromkeys(table))
    missing = [f"{name} has no {what}" for name in known if name not in rows]
    return missing + [f"there is a {what} of {row}, which does not exist" for row in rows if row not in known]


def unwritten(where: str, text: str, *, words: int) -> list[str]:
    """What is wrong with a text that somebody has to write: too short, or a placeholder in it."""
    if len(text.split()) < words:
        return [f"{where} is not written"]
    found = PLACEHOLDER.search(text)
    return [f"{where} says {found[0]}"] if found else []
