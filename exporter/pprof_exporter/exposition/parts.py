"""The series of the parts of an exporter besides its targets: probes, discovery, evidence, web configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pprof_exporter.catalog import Outcome, ProbeResult, exporter
from pprof_exporter.exposition.sink import MetricSink
from pprof_exporter.scrape.discovery import Discovery, Rejection
from pprof_exporter.scrape.probing import Prober

if TYPE_CHECKING:
    from pprof_exporter.evidence_store import EvidenceStore


@dataclass(frozen=True, slots=True)
class ExporterParts:
    """The parts of the exporter besides its targets; None if it has no such part."""

    discovery: Discovery | None = None
    prober: Prober | None = None
    evidence: EvidenceStore | None = None
    web_config: Callable[[], bool | None] | None = None
    """Whether the latest load of the web configuration file succeeded; None: there is no such file."""

    def add_to(self, sink: MetricSink) -> None:
        """Add every series of every part."""
        if self.discovery is not None:
            _add_discovery(sink, self.discovery)
        if self.prober is not None:
            _add_probes(sink, self.prober)
        if self.evidence is not None:
            # Most sidecars save none, and start without its packages.
            from pprof_exporter.exposition.evidence_series import add_evidence  # noqa: PLC0415

            add_evidence(sink, self.evidence)
        if self.web_config is not None:
            sink.add_known(exporter.WEB_CONFIG_SUCCESSFUL, {}, self.web_config())


def _add_probes(sink: MetricSink, prober: Prober) -> None:
    for result in ProbeResult:
        sink.add(exporter.PROBES, {"result": result}, prober.results[result])
    sink.add(exporter.PROBED_TARGETS, {}, prober.target_count)


def _add_discovery(sink: MetricSink, discovery: Discovery) -> None:
    for job, count in discovery.target_counts.items():
        sink.add(exporter.DISCOVERED, {"scrape_job": job}, count)
    for (job, mechanism), refreshes in discovery.refreshes.items():
        labels = {"scrape_job": job, "mechanism": mechanism}
        sink.add(exporter.REFRESHES, {**labels, "outcome": Outcome.SUCCESS}, refreshes.refreshed)
        sink.add(exporter.REFRESHES, {**labels, "outcome": Outcome.FAILURE}, refreshes.failed)
        sink.add_known(exporter.DISCOVERY_SUCCESS, labels, refreshes.last_success)
    if discovery.refreshes:
        for reason in Rejection:
            sink.add(exporter.REJECTED, {"reason": reason}, discovery.rejected[reason])
