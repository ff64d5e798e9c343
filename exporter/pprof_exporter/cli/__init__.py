"""The command line: the only place that reads arguments and the environment."""

from __future__ import annotations

from pprof_exporter.cli.main import main

__all__ = ["main"]
