"""One signal of one service, observed and counted."""

from __future__ import annotations

from pathlib import Path

from pprof_exporter.store import Fingerprint, Store

MARK = Fingerprint("windows 1", "build 1", "go1.24", "none")
NEXT = Fingerprint("windows 2", "build 1", "go1.24", "none")


def observe(store: Store, times: int, mark: Fingerprint = MARK, now: float = 1.0) -> int:
    epoch = store.enter("shop", mark, now).epoch
    for _ in range(times):
        store.observe(epoch.id, "latency", 0.1)
    return epoch.id


def count(store: Store, mark: Fingerprint = MARK, now: float = 1.0) -> int:
    summary = store.summaries(store.enter("shop", mark, now).epoch.id).get("latency")
    return summary.count if summary else 0


def aside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.glob("*.corrupt-*"))


def written(path: Path, times: int = 3) -> None:
    store = Store.open(path, 0.0)
    observe(store, times)
    store.close(1.0)
