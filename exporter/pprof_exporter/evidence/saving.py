"""Saves a finding with its profiles, and the facts about the target."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pprof_exporter.escaping import url_part
from pprof_exporter.event_log import LOG
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence_store.finding import FindingRecord, Origin, Process, ProfileRole, RawProfile, SavedFinding
from pprof_exporter.evidence_store.store import EvidenceProblem, EvidenceStore
from pprof_exporter.log_limits import repeats
from pprof_exporter.scrape import TargetState

_MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """A finding: failure mode, level, a sentence, and the alert whose runbook says what to do."""

    origin: Origin
    mode: str
    level: str
    said: str
    alert: str


def finding_record(
    state: TargetState, about: FindingSummary, at: float, missing: dict[str, str] | None = None
) -> FindingRecord:
    """The record of a finding, without files; `at` is Unix time."""
    identity, name = state.identity, state.target.name
    return FindingRecord(
        target=name,
        labels=dict(state.target.labels),
        origin=about.origin,
        mode=about.mode,
        level=about.level,
        said=about.said[:_MAX_LENGTH],
        alert=about.alert,
        runbook=f"/runbooks/{url_part(about.alert)}?target={url_part(name, safe=':')}" if about.alert else "",
        at=at,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        process=Process(
            program=identity.program,
            build=identity.build,
            go=identity.go_version,
            system=identity.system.value if identity.system else "unknown",
            epoch=identity.epoch.first_seen if identity.epoch else None,
            fingerprint=asdict(identity.epoch.fingerprint) if identity.epoch else {},
        ),
        missing=missing or {},
    )


async def save_finding(
    evidence_store: EvidenceStore,
    pusher: Pusher | None,
    finding: FindingRecord,
    bodies: Sequence[tuple[RawProfile, ProfileRole]],
) -> SavedFinding | None:
    """Save a finding, and push its profiles if a pusher is set; None if it was dropped."""
    saved = await asyncio.to_thread(evidence_store.add, finding, bodies, finding.at)
    if saved is not None and pusher is not None:
        pusher.enqueue(saved, bodies)
    return saved


def log_saved(saved: SavedFinding, more: int = 0) -> None:
    """Log that a finding was saved. `more` were saved and not logged before it."""
    finding = saved.finding
    LOG.info(
        "evidence saved",
        target=finding.target,
        mode=finding.mode,
        level=finding.level,
        id=saved.id,
        bytes=finding.size,
        **repeats(more),
    )


def count_internal(evidence_store: EvidenceStore, error: BaseException) -> None:
    """Count an internal error for which profiles may not have been saved."""
    evidence_store.troubles[EvidenceProblem.INTERNAL] += 1
    evidence_store.last_trouble = f"internal error: {error}"
