"""Statistics of every signal for each epoch of each service, kept over restarts."""

from __future__ import annotations

from pprof_exporter.store.database import StorageProblem
from pprof_exporter.store.epoch import (
    Change,
    Comparison,
    EnteredEpoch,
    Epoch,
    EpochRetention,
    Fingerprint,
    Summary,
    changed_parts,
)
from pprof_exporter.store.sketch import Sketch
from pprof_exporter.store.store import Store

__all__ = [
    "Change",
    "Comparison",
    "EnteredEpoch",
    "Epoch",
    "EpochRetention",
    "Fingerprint",
    "Sketch",
    "StorageProblem",
    "Store",
    "Summary",
    "changed_parts",
]
