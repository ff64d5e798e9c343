"""Service discovery: a source is one file here, one model in `config/jobs.py`, and a case in `Discovery`."""

from __future__ import annotations

from pprof_exporter.scrape.discovery.discovery import Discovery, RefreshCounters, Rejection
from pprof_exporter.scrape.discovery.groups import SourceError

__all__ = ["Discovery", "RefreshCounters", "Rejection", "SourceError"]
