"""Answers /probe: one round of a target that Prometheus names, the multi-target pattern."""

from __future__ import annotations

from pprof_exporter.scrape.probing.probe_history import ProbeHistory, ProbeRecord
from pprof_exporter.scrape.probing.probe_log import ProbeLog
from pprof_exporter.scrape.probing.prober import Overloaded, ProbeAnswer, Prober
from pprof_exporter.scrape.probing.request import BadProbe, ProbeRequest
from pprof_exporter.scrape.probing.sockets import guarded_socket

__all__ = [
    "BadProbe",
    "Overloaded",
    "ProbeAnswer",
    "ProbeHistory",
    "ProbeLog",
    "ProbeRecord",
    "ProbeRequest",
    "Prober",
    "guarded_socket",
]
