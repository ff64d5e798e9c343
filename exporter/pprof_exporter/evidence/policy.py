"""The profiles that show a failure mode."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog.vocabulary import TRACE


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """The profiles to save for a failure mode with a finding.

    `shown`: the newest profiles show the failure; otherwise they are the last ones before it. `after_change`: the
    failure follows a change of the target, so saving waits for profiles from after the change.
    """

    kinds: tuple[str, ...]
    shown: bool = True
    after_change: bool = False


CHANGE_MODE = "F16"
_ALL = ("cpu", "heap", "goroutine")

# No profile shows F14, F15 and F19, which are about fetches, nor F18, whose profiles are empty.
EVIDENCE_POLICIES: dict[str, EvidencePolicy] = {
    "F1": EvidencePolicy(("cpu",)),
    "F2": EvidencePolicy(("cpu",)),
    "F3": EvidencePolicy(("cpu", TRACE)),
    "F4": EvidencePolicy(("cpu", "heap")),
    "F5": EvidencePolicy(_ALL),
    "F6": EvidencePolicy(("cpu", "goroutine")),
    "F7": EvidencePolicy(_ALL),
    "F8": EvidencePolicy(_ALL),
    "F9": EvidencePolicy(_ALL),
    "F10": EvidencePolicy(("goroutine", "goroutineleak")),
    "F11": EvidencePolicy(("cpu", "heap")),
    "F12": EvidencePolicy(("heap",)),
    "F13": EvidencePolicy(_ALL, shown=False),
    # Saved for the change itself, which is no finding: the profiles of both sides are gone later.
    CHANGE_MODE: EvidencePolicy(_ALL, after_change=True),
    "F17": EvidencePolicy(("cpu",)),
    "F20": EvidencePolicy(_ALL, after_change=True),
}

RETAINED_KINDS: frozenset[str] = frozenset(kind for policy in EVIDENCE_POLICIES.values() for kind in policy.kinds)
"""Kinds of profiles that show at least one failure mode."""
