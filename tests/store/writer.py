"""An exporter to be killed: observes and flushes without end, and says after each flush how many values are written."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from pprof_exporter.store import Fingerprint, Store


def main(path: Path, rounds: int | None) -> None:
    """Write `rounds` flushes of ten values of three signals each, or flushes without end."""
    store = Store.open(path, 0.0)
    written = 0
    for now in itertools.count(1.0) if rounds is None else map(float, range(rounds)):
        epoch = store.enter("shop", "a", Fingerprint("windows 1", "build 1", "go1.24", "none"), now)
        for signal in ("latency", "lost", "goroutines"):
            for value in range(10):
                store.observe(epoch.id, signal, float(value))
        if store.flush(now):
            written = int(now) * 10 if rounds is None else (int(now) + 1) * 10
        print(written, dict(store.troubles), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
