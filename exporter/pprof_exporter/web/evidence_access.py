"""Access of the web pages to evidence: reading findings and requesting captures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pprof_exporter.web.access import AccessRules

if TYPE_CHECKING:
    from pprof_exporter.evidence.alert_captures import CaptureAnswer
    from pprof_exporter.evidence.capture_request import CaptureRequest
    from pprof_exporter.evidence_store import EvidenceStore, SavedFinding


@dataclass(frozen=True, slots=True)
class EvidenceAccess:
    """`evidence_store` and `request_capture` are None if no evidence is saved."""

    access: AccessRules
    evidence_store: EvidenceStore | None = None
    request_capture: Callable[[CaptureRequest], CaptureAnswer] | None = None

    def kept_of(self, target: str) -> list[SavedFinding]:
        """Saved findings of a target, the newest first."""
        return self.evidence_store.findings(target) if self.evidence_store is not None else []

    def find(self, id_: str) -> SavedFinding | None:
        """The finding with this id, if it is saved."""
        return self.evidence_store.find(id_) if self.evidence_store is not None else None
