"""The catalogue: every metric family, closed set of label values, failure mode and threshold."""

from __future__ import annotations

from pprof_exporter.catalog import content, exporter, fetching, identity, quality, runtime, sampling
from pprof_exporter.catalog.family import Family, MetricType
from pprof_exporter.catalog.vocabulary import (
    NO_INDEX_PAGE,
    NO_PROFILE,
    NOT_SERVED,
    UNANSWERED,
    Deferral,
    Outcome,
    Phase,
    ProbeResult,
    Reason,
    ReasonGroup,
    Skip,
)

SECTIONS: dict[str, tuple[Family, ...]] = {
    "Fetching": fetching.FAMILIES,
    "Profile content": content.FAMILIES,
    "Profile quality": quality.FAMILIES,
    "CPU sampling": sampling.FAMILIES,
    "Go runtime and responsiveness": runtime.FAMILIES,
    "Target identity and changes": identity.FAMILIES,
    "Exporter": exporter.FAMILIES,
}
FAMILIES: tuple[Family, ...] = tuple(family for section in SECTIONS.values() for family in section)

__all__ = [
    "FAMILIES",
    "NOT_SERVED",
    "NO_INDEX_PAGE",
    "NO_PROFILE",
    "SECTIONS",
    "UNANSWERED",
    "Deferral",
    "Family",
    "MetricType",
    "Outcome",
    "Phase",
    "ProbeResult",
    "Reason",
    "ReasonGroup",
    "Skip",
    "content",
    "exporter",
    "fetching",
    "identity",
    "quality",
    "runtime",
    "sampling",
]
