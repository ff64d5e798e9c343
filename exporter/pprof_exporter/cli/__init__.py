"""The command line: wires everything, and alone reads arguments and environment."""

from __future__ import annotations

from pprof_exporter.cli.main import main

__all__ = ["main"]
