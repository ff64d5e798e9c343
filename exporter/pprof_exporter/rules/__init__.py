"""Recording rules and alerts as typed sources: one file and one group for each family of failure modes."""

from __future__ import annotations

from pprof_exporter.rules import (
    clock,
    exporter,
    growth,
    growth_fast,
    latency,
    memory,
    quality,
    reachability,
    resources,
    runtime,
    sampling,
    upgrade,
)
from pprof_exporter.rules.guards import of_one_process
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup, UnknownThreshold, fill_thresholds, thresholds_of
from pprof_exporter.rules.render import RuleOptions, render_rules

GROUPS: tuple[RuleGroup, ...] = (
    reachability.GROUP,
    sampling.USUAL_GROUP,
    of_one_process(sampling.GROUP),
    of_one_process(clock.GROUP),
    of_one_process(quality.GROUP),
    latency.HISTORY_GROUP,
    of_one_process(latency.GROUP),
    of_one_process(memory.GROUP),
    of_one_process(growth.GROUP),
    of_one_process(resources.GROUP),
    of_one_process(growth_fast.GROUP),
    of_one_process(runtime.GROUP),
    upgrade.GROUP,
    exporter.GROUP,
)
ALERTS: tuple[Alert, ...] = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert))
RECORDING_RULES: tuple[RecordingRule, ...] = tuple(
    rule for group in GROUPS for rule in group.rules if isinstance(rule, RecordingRule)
)

__all__ = [
    "ALERTS",
    "GROUPS",
    "RECORDING_RULES",
    "Alert",
    "RecordingRule",
    "RuleGroup",
    "RuleOptions",
    "UnknownThreshold",
    "fill_thresholds",
    "render_rules",
    "thresholds_of",
]
