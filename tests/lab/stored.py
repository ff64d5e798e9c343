"""What an exporter keeps in its folder, read as any other program reads SQLite."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoredEpoch:
    """One row: "" is unknown."""

    service: str
    binary: str
    go: str


def epochs(storage: Path) -> list[StoredEpoch]:
    """All epochs below a `--storage.path`, the oldest first. The exporter writes each half a minute, and at its end."""
    with contextlib.closing(sqlite3.connect(storage / "epochs.sqlite")) as database:
        rows = database.execute("SELECT service, binary, go FROM epoch ORDER BY id").fetchall()
    return [StoredEpoch(service, binary, go) for service, binary, go in rows]
