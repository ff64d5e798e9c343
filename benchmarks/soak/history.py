"""The statistics of an exporter that has run for months: as many epochs and targets as it keeps, all of them gone."""

from __future__ import annotations

import time
from pathlib import Path

from pprof_exporter.store import EpochRetention, Fingerprint, Store

_DAY = 86400.0
_SIGNALS = ("heap_latency_seconds", "cpu_latency_seconds", "goroutines")


def write_history(file: Path) -> None:
    """Write it. An exporter that starts with it removes an epoch for each that is new, so their number stays."""
    policy, now = EpochRetention(), time.time()
    store = Store.open(file, now)
    for number in range(policy.most):
        service, at = f"gone-{number}", now - 30 * _DAY + number
        epoch = store.enter(service, f"{service}:6060", Fingerprint(binary=f"{number:040x}", go="go1.27.3"), at)
        for signal in _SIGNALS:
            store.observe(epoch.id, signal, 1.0 + number)
    store.close(now)
    if store.troubles:
        raise RuntimeError(f"the statistics were not written: {store.last_trouble}")
