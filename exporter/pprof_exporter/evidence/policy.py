"""Which profiles show a failure mode, and from which level on they are worth keeping."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog.vocabulary import TRACE
from pprof_exporter.verdicts import BAD, Level


@dataclass(frozen=True, slots=True)
class EvidencePolicy:
    """What to keep of a failure mode that is at `least` so bad.

    `shown`: the newest profiles show it; otherwise they are the last ones of before. `after_change`: it tells of a
    change, so that profiles of after the change are to be there first.
    """

    kinds: tuple[str, ...]
    least: Level = Level.WARNING
    shown: bool = True
    after_change: bool = False

    def worth(self, level: Level) -> bool:
        """Whether a verdict of this level is bad enough."""
        return level in BAD and BAD.index(level) <= BAD.index(self.least)


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
    "F10": EvidencePolicy(("goroutine", "goroutineleak"), Level.INFO),
    "F11": EvidencePolicy(("cpu", "heap")),
    "F12": EvidencePolicy(("heap",), Level.INFO),
    "F13": EvidencePolicy(_ALL, shown=False),
    "F16": EvidencePolicy(_ALL, Level.INFO, after_change=True),
    "F17": EvidencePolicy(("cpu",), Level.INFO),
    "F20": EvidencePolicy(_ALL, after_change=True),
}

RETAINED_KINDS: frozenset[str] = frozenset(kind for worth in EVIDENCE_POLICIES.values() for kind in worth.kinds)
"""Kinds of profiles that some failure mode is shown by."""
