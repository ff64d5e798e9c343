"""Targets of one service, with one signal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pprof_exporter.store import Epoch, Fingerprint, Store, changed_parts
from pprof_exporter.store.checksum import checksum
from pprof_exporter.store.schema import EPOCH_COLUMNS, SKETCH_COLUMNS, STAY_COLUMNS

MARK = Fingerprint("windows 1", "build 1", "go1.24", "none")
NEXT = Fingerprint("windows 2", "build 1", "go1.24", "none")


def enter(store: Store, mark: Fingerprint, now: float, target: str = "a", service: str = "shop") -> Epoch:
    """Enter an epoch as the exporter does: moved if a target shows other software than before."""
    stay = store.stay(service, target)
    moved = stay is not None and bool(changed_parts(stay.fingerprint, mark))
    return store.enter(service, target, mark, now, moved=moved)


def observe(store: Store, times: int, mark: Fingerprint = MARK, now: float = 1.0, target: str = "a") -> int:
    epoch = enter(store, mark, now, target)
    for _ in range(times):
        store.observe(epoch.id, "latency", 0.1)
    return epoch.id


def count(store: Store, mark: Fingerprint = MARK) -> int:
    """Values of the latest epoch with this fingerprint."""
    found = [epoch for epoch in store.epochs("shop") if epoch.fingerprint == mark]
    summary = store.summaries(found[-1].id).get("latency") if found else None
    return summary.count if summary else 0


def aside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.glob("*.corrupt-*"))


def written(path: Path, times: int = 3) -> None:
    store = Store.open(path, 0.0)
    observe(store, times)
    store.close(1.0)


def select(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as other:
        found = other.execute(query).fetchall()
    other.close()
    return found


def change(path: Path, *statements: str) -> None:
    """Change rows as an exporter would that writes something odd: with their checksums."""
    with sqlite3.connect(path) as other:
        other.create_function("row_checksum", -1, checksum)
        for statement in statements:
            other.execute(statement)
        for table, columns in (("epoch", EPOCH_COLUMNS), ("sketch", SKETCH_COLUMNS), ("stay", STAY_COLUMNS)):
            other.execute(f"UPDATE {table} SET checksum = row_checksum({columns})")  # noqa: S608  # constants
    other.close()
