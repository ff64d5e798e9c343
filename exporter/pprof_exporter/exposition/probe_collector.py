"""The families of the one target that a probe asks for."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pprof_exporter.exposition.sink import Sink
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape import TargetState


class ProbeCollector(Collector):
    """A registry of one probe: what is known of its target at this Unix time, and nothing of the exporter."""

    def __init__(self, state: TargetState, now: float) -> None:
        self._state = state
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Every family that has a series."""
        sink = Sink()
        TargetSeries(sink, self._state, self._now).add()
        return sink.metrics()
