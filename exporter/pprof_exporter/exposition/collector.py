"""What is known of the targets and of the exporter itself, as metric families."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pprof_exporter import __version__
from pprof_exporter.catalog import Outcome, exporter
from pprof_exporter.evidence import Drop, Origin, Pushed, Ring
from pprof_exporter.evidence import Trouble as EvidenceTrouble
from pprof_exporter.exposition.sink import Sink, descriptions
from pprof_exporter.exposition.target import TargetSeries
from pprof_exporter.scrape import Clock, Pool
from pprof_exporter.scrape.discovery import Discovery, Rejection
from pprof_exporter.store import Trouble


@dataclass(slots=True)
class ConfigState:
    """Whether the configuration in the file is the one in use."""

    successful: bool
    loaded_at: float


class PprofCollector(Collector):
    """Every family of the catalogue, from the state of the pool."""

    def __init__(
        self,
        pool: Pool,
        config: ConfigState,
        clock: Clock,
        discovery: Discovery | None = None,
        evidence: Ring | None = None,
    ) -> None:
        self._pool = pool
        self._config = config
        self._clock = clock
        self._discovery = discovery
        self._evidence = evidence

    def describe(self) -> Iterable[Metric]:
        """Every family, without series."""
        return descriptions()

    def collect(self) -> Iterable[Metric]:
        """Every family that has a series now."""
        sink = Sink()
        now = self._clock.now()
        for state in self._pool.states:
            TargetSeries(sink, state, now).add()
        self._add_own(sink)
        if self._discovery is not None:
            _add_discovery(sink, self._discovery)
        if self._evidence is not None:
            _add_evidence(sink, self._evidence)
        return sink.metrics()

    def _add_own(self, sink: Sink) -> None:
        pool, config = self._pool, self._config
        sink.add(exporter.BUILD, {"version": __version__, "python": platform.python_version()}, 1)
        sink.add(exporter.TARGETS, {}, len(pool.states))
        sink.add(exporter.IN_FLIGHT, {}, pool.limiter.in_flight)
        sink.add(exporter.IN_FLIGHT_LIMIT, {}, pool.limiter.limit)
        sink.add(exporter.BUDGET, {}, pool.settings.budget)
        sink.add_histogram(exporter.LOOP_LAG, {}, pool.lag_counts, pool.lag_sum)
        sink.add(exporter.INTERNAL_ERRORS, {}, pool.internal_errors)
        sink.add(exporter.CONFIG_SUCCESSFUL, {}, config.successful)
        sink.add(exporter.CONFIG_TIMESTAMP, {}, config.loaded_at)
        store = pool.store
        if store.configured:
            sink.add(exporter.STORAGE_PERSISTENT, {}, store.persistent)
            for trouble in Trouble:
                sink.add(exporter.STORAGE_TROUBLES, {"trouble": trouble}, store.troubles[trouble])


def _add_discovery(sink: Sink, discovery: Discovery) -> None:
    for job, count in discovery.found.items():
        sink.add(exporter.DISCOVERED, {"scrape_job": job}, count)
    for (job, mechanism), refreshes in discovery.refreshes.items():
        labels = {"scrape_job": job, "mechanism": mechanism}
        sink.add(exporter.REFRESHES, {**labels, "outcome": Outcome.SUCCESS}, refreshes.refreshed)
        sink.add(exporter.REFRESHES, {**labels, "outcome": Outcome.FAILURE}, refreshes.failed)
        sink.add_known(exporter.DISCOVERY_SUCCESS, labels, refreshes.last_success)
    if discovery.refreshes:
        for reason in Rejection:
            sink.add(exporter.REJECTED, {"reason": reason}, discovery.rejected[reason])


def _add_evidence(sink: Sink, ring: Ring) -> None:
    sink.add(exporter.EVIDENCE_BYTES, {}, ring.occupied)
    for origin in Origin:
        sink.add(exporter.EVIDENCE_SAVED, {"origin": origin}, ring.saved[origin])
    for reason in Drop:
        sink.add(exporter.EVIDENCE_DROPPED, {"reason": reason}, ring.dropped[reason])
    for trouble in EvidenceTrouble:
        sink.add(exporter.EVIDENCE_TROUBLES, {"trouble": trouble}, ring.troubles[trouble])
    if ring.pushed is not None:
        for outcome in Pushed:
            sink.add(exporter.EVIDENCE_PUSHES, {"outcome": outcome}, ring.pushed[outcome])
