"""One look at a target, whenever Prometheus asks for it: the multi-target pattern."""

from __future__ import annotations

from pprof_exporter.scrape.probing.history import Entry, History
from pprof_exporter.scrape.probing.log import ProbeLog
from pprof_exporter.scrape.probing.prober import Answer, Overloaded, Prober
from pprof_exporter.scrape.probing.request import Asked, BadProbe
from pprof_exporter.scrape.probing.sockets import guarded_socket

__all__ = ["Answer", "Asked", "BadProbe", "Entry", "History", "Overloaded", "ProbeLog", "Prober", "guarded_socket"]
