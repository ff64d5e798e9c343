"""What is written down of a target beside its profiles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import quote

import structlog

from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence_store import (
    BodyRole,
    EvidenceStore,
    FindingRecord,
    Origin,
    Process,
    RawProfile,
    SavedFinding,
)
from pprof_exporter.scrape import TargetState

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """What a finding says: failure mode, level, a sentence, and the alert whose runbook says what to do."""

    origin: Origin
    mode: str
    level: str
    said: str
    alert: str


def finding_record(
    state: TargetState, about: FindingSummary, at: float, missing: dict[str, str] | None = None
) -> FindingRecord:
    """The finding, still without files; `at` is Unix time."""
    known, name = state.identity, state.target.name
    return FindingRecord(
        target=name,
        labels=dict(state.target.labels),
        origin=about.origin,
        mode=about.mode,
        level=about.level,
        said=about.said[:_LONGEST],
        alert=about.alert,
        runbook=f"/runbooks/{quote(about.alert, safe='')}?target={quote(name, safe=':')}" if about.alert else "",
        at=at,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        process=Process(
            program=known.program,
            build=known.build,
            go=known.go_version,
            system=known.system.value if known.system else "unknown",
            epoch=known.epoch.entered if known.epoch else None,
            fingerprint=asdict(known.epoch.fingerprint) if known.epoch else {},
        ),
        missing=missing or {},
    )


async def save_finding(
    evidence_store: EvidenceStore,
    pusher: Pusher | None,
    finding: FindingRecord,
    bodies: Sequence[tuple[RawProfile, BodyRole]],
) -> SavedFinding | None:
    """Keep a finding, and give its profiles to the other store if there is one; None if it was dropped."""
    kept = await asyncio.to_thread(evidence_store.add, finding, bodies, finding.at)
    if kept is None:
        return None
    structlog.get_logger().info(
        "evidence saved",
        target=finding.target,
        mode=finding.mode,
        level=finding.level,
        id=kept.id,
        bytes=kept.finding.size,
    )
    if pusher is not None:
        pusher.offer(kept, bodies)
    return kept
