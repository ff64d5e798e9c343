"""Prometheus exporter that watches the health of Go profiling."""

__version__ = "0.1.0"
USER_AGENT = f"pprof-exporter/{__version__}"
"""How the exporter names itself to the servers that it requests."""
