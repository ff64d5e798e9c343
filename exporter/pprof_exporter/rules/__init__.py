"""Recording rules and alerts: one file for each family of failure modes, one group each. See `docs/signals.md`."""

from __future__ import annotations

from pprof_exporter.rules import (
    clock,
    exporter,
    growth,
    latency,
    memory,
    quality,
    reachability,
    runtime,
    sampling,
    upgrade,
)
from pprof_exporter.rules.model import Alert, Group, Record, Severity, UnknownThreshold, filled, thresholds_of
from pprof_exporter.rules.render import Options, render

GROUPS: tuple[Group, ...] = (
    reachability.GROUP,
    sampling.GROUP,
    clock.GROUP,
    quality.GROUP,
    latency.HISTORY,
    latency.GROUP,
    memory.GROUP,
    growth.GROUP,
    runtime.GROUP,
    upgrade.GROUP,
    exporter.GROUP,
)
ALERTS: tuple[Alert, ...] = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert))
RECORDS: tuple[Record, ...] = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Record))

__all__ = [
    "ALERTS",
    "GROUPS",
    "RECORDS",
    "Alert",
    "Group",
    "Options",
    "Record",
    "Severity",
    "UnknownThreshold",
    "filled",
    "render",
    "thresholds_of",
]
