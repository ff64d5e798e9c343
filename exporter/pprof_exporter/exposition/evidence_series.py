"""The series of saved evidence."""

from __future__ import annotations

from pprof_exporter.catalog import exporter
from pprof_exporter.evidence_store import DropReason, EvidenceProblem, EvidenceStore, Origin, PushOutcome
from pprof_exporter.exposition.sink import MetricSink


def add_evidence(sink: MetricSink, evidence_store: EvidenceStore) -> None:
    """Add what was saved and dropped, and what failed."""
    sink.add(exporter.EVIDENCE_BYTES, {}, evidence_store.disk_bytes)
    for origin in Origin:
        sink.add(exporter.EVIDENCE_SAVED, {"origin": origin}, evidence_store.saved[origin])
    for reason in DropReason:
        sink.add(exporter.EVIDENCE_DROPPED, {"reason": reason}, evidence_store.dropped[reason])
    for trouble in EvidenceProblem:
        sink.add(exporter.EVIDENCE_TROUBLES, {"trouble": trouble}, evidence_store.troubles[trouble])
    if evidence_store.pushed is not None:
        for outcome in PushOutcome:
            sink.add(exporter.EVIDENCE_PUSHES, {"outcome": outcome}, evidence_store.pushed[outcome])
