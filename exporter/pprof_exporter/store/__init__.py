"""Statistics of every signal for each epoch of each service, kept over restarts."""

from __future__ import annotations

from pprof_exporter.store.ages import age_band
from pprof_exporter.store.control import is_latency
from pprof_exporter.store.epoch import (
    NO_BUILD_ID,
    NO_MODULES,
    PARTS,
    Change,
    Comparison,
    Epoch,
    Fingerprint,
    Stay,
    Summary,
    changed_parts,
    overlay_fingerprint,
)
from pprof_exporter.store.problems import StorageProblem
from pprof_exporter.store.retention import EpochRetention
from pprof_exporter.store.sketch import Sketch
from pprof_exporter.store.store import Store

__all__ = [
    "NO_BUILD_ID",
    "NO_MODULES",
    "PARTS",
    "Change",
    "Comparison",
    "Epoch",
    "EpochRetention",
    "Fingerprint",
    "Sketch",
    "Stay",
    "StorageProblem",
    "Store",
    "Summary",
    "age_band",
    "changed_parts",
    "is_latency",
    "overlay_fingerprint",
]
