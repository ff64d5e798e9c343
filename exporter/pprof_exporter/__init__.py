"""Prometheus exporter that watches the health of Go profiling."""

__version__ = "0.1.0"
