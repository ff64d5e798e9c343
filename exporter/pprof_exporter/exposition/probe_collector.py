"""Collects the families of the target of a probe."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pprof_exporter.exposition.sink import MetricSink
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape import TargetState


class ProbeCollector(Collector):
    """The registry of one probe: the state of its target at this Unix time, and no families about the exporter."""

    def __init__(self, state: TargetState, now: float) -> None:
        self._state = state
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Every family that has series."""
        sink = MetricSink()
        TargetSeries(sink, self._state, self._now).add()
        return sink.metrics()
