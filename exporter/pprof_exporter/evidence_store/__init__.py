"""Saved findings on disk: raw profiles in one folder with a manifest for each, within a bound."""

from __future__ import annotations

from pprof_exporter.evidence_store.finding import (
    FINDING_MANIFEST,
    FindingRecord,
    Origin,
    Process,
    ProfileFile,
    ProfileRole,
    RawProfile,
    SavedFinding,
)
from pprof_exporter.evidence_store.store import (
    DropReason,
    EvidenceProblem,
    EvidenceRetention,
    EvidenceStore,
    PushOutcome,
)

__all__ = [
    "FINDING_MANIFEST",
    "DropReason",
    "EvidenceProblem",
    "EvidenceRetention",
    "EvidenceStore",
    "FindingRecord",
    "Origin",
    "Process",
    "ProfileFile",
    "ProfileRole",
    "PushOutcome",
    "RawProfile",
    "SavedFinding",
]
