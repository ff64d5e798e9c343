"""State of targets to Prometheus series."""

from __future__ import annotations

from pprof_exporter.exposition.collectors import ConfigState, ExporterCollector, PprofCollector
from pprof_exporter.exposition.metrics_page import EncodedPage, ExpositionPage
from pprof_exporter.exposition.negotiation import negotiate_format, prefers_gzip
from pprof_exporter.exposition.parts import ExporterParts
from pprof_exporter.exposition.probe_collector import ProbeCollector
from pprof_exporter.exposition.sink import MetricSink

__all__ = [
    "ConfigState",
    "EncodedPage",
    "ExporterCollector",
    "ExporterParts",
    "ExpositionPage",
    "MetricSink",
    "PprofCollector",
    "ProbeCollector",
    "negotiate_format",
    "prefers_gzip",
]
