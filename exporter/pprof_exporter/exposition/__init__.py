"""State to Prometheus series."""

from __future__ import annotations

from pprof_exporter.exposition.collector import ConfigState, ExporterCollector, PprofCollector
from pprof_exporter.exposition.page import MetricsPage, Reply
from pprof_exporter.exposition.parts import Parts
from pprof_exporter.exposition.probe import ProbeCollector
from pprof_exporter.exposition.sink import Sink

__all__ = [
    "ConfigState",
    "ExporterCollector",
    "MetricsPage",
    "Parts",
    "PprofCollector",
    "ProbeCollector",
    "Reply",
    "Sink",
]
