"""The catalogue: every metric family, closed set of label values, failure mode and threshold."""

from __future__ import annotations

from pprof_exporter.catalog import content, exporter, fetching, identity, quality, runtime, sampling
from pprof_exporter.catalog.family import Family, MetricType
from pprof_exporter.catalog.vocabulary import (
    NO_INDEX_PAGE,
    NO_PROFILE,
    NOT_SERVED,
    Deferral,
    Outcome,
    Phase,
    ProbeResult,
    Reason,
    ReasonGroup,
    Skip,
)

SECTIONS: dict[str, tuple[Family, ...]] = {
    "How fetching goes": fetching.FAMILIES,
    "What the profiles hold": content.FAMILIES,
    "How far the profiles can be trusted": quality.FAMILIES,
    "Whether samples are missing": sampling.FAMILIES,
    "How the runtime is doing, and how quickly it answers": runtime.FAMILIES,
    "What a target is, and what changed": identity.FAMILIES,
    "The exporter itself": exporter.FAMILIES,
}
FAMILIES: tuple[Family, ...] = tuple(family for section in SECTIONS.values() for family in section)

__all__ = [
    "FAMILIES",
    "NOT_SERVED",
    "NO_INDEX_PAGE",
    "NO_PROFILE",
    "SECTIONS",
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
