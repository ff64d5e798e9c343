"""Prometheus collectors for the targets and for the exporter itself."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pprof_exporter import __version__
from pprof_exporter.catalog import FAMILIES, Family, exporter
from pprof_exporter.catalog.own_trouble import BackgroundTask, ExhaustedResource
from pprof_exporter.clock import Clock
from pprof_exporter.exposition.parts import ExporterParts
from pprof_exporter.exposition.sink import MetricSink, empty_metric
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.profile import READER
from pprof_exporter.scrape import Pool
from pprof_exporter.store import StorageProblem


@dataclass(slots=True)
class ConfigState:
    """Whether the latest load of the configuration file succeeded, and the Unix time of the last success."""

    successful: bool
    loaded_at: float


class ExporterCollector(Collector):
    """Collects the families about the exporter itself."""

    families: tuple[Family, ...] = exporter.FAMILIES

    def __init__(self, pool: Pool, config: ConfigState, clock: Clock, parts: ExporterParts | None = None) -> None:
        self._pool = pool
        self._config = config
        self._clock = clock
        self._parts = parts or ExporterParts()

    def describe(self) -> Iterable[Metric]:
        """Every family without series, so that `name[]` can select them."""
        return [empty_metric(family) for family in self.families]

    def collect(self) -> Iterable[Metric]:
        """Every family that has series now."""
        sink = MetricSink()
        self._add_to(sink)
        return sink.metrics()

    def _add_to(self, sink: MetricSink) -> None:
        self._add_own(sink)
        self._parts.add_to(sink)

    def _add_own(self, sink: MetricSink) -> None:
        pool, config = self._pool, self._config
        build = {"version": __version__, "python": platform.python_version(), "reader": READER.name}
        sink.add(exporter.BUILD, build, 1)
        sink.add(exporter.TARGETS, {}, len(pool.states))
        sink.add(exporter.IN_FLIGHT, {}, pool.limiter.in_flight)
        sink.add(exporter.IN_FLIGHT_LIMIT, {}, pool.limiter.limit)
        sink.add(exporter.REPLY_BYTES, {}, pool.in_flight.held)
        sink.add(exporter.REPLY_BYTES_LIMIT, {}, pool.in_flight.most)
        sink.add(exporter.REPLY_WAIT, {}, pool.in_flight.waited)
        sink.add(exporter.BUDGET, {}, pool.settings.budget)
        sink.add_histogram(exporter.LOOP_LAG, {}, pool.lag_counts, pool.lag_sum)
        sink.add(exporter.OVERLOADED, {}, pool.load.overloaded)
        sink.add(exporter.INTERNAL_ERRORS, {}, pool.internal_errors)
        for task in BackgroundTask:
            sink.add(exporter.TASK_RESTARTS, {"task": task}, pool.supervisor.restarts[task])
        for resource in ExhaustedResource:
            sink.add(exporter.EXHAUSTED, {"resource": resource}, pool.supervisor.troubles.exhausted[resource])
        sink.add(exporter.CONFIG_SUCCESSFUL, {}, config.successful)
        sink.add(exporter.CONFIG_TIMESTAMP, {}, config.loaded_at)
        store = pool.store
        if store.configured:
            sink.add(exporter.STORAGE_PERSISTENT, {}, store.persistent)
            for trouble in StorageProblem:
                sink.add(exporter.STORAGE_TROUBLES, {"trouble": trouble}, store.troubles[trouble])


class PprofCollector(ExporterCollector):
    """Collects every family of the catalogue. `ExpositionPage` is faster for many targets."""

    families = FAMILIES

    def _add_to(self, sink: MetricSink) -> None:
        now = self._clock.now()
        for state in self._pool.states:
            TargetSeries(sink, state, now).add()
        super()._add_to(sink)
