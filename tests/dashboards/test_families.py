"""Panels, rules and the catalogue speak of the same metrics."""

from __future__ import annotations

import re

import pytest

from pprof_exporter.catalog import FAMILIES, MetricType
from pprof_exporter.catalog.failure_modes import FAILURE_MODES, FailureMode
from pprof_exporter.dashboards import DASHBOARDS
from pprof_exporter.rules import ALERTS, RECORDING_RULES

NAME = re.compile(r"\b(?:pprof_\w+|\w+:pprof_[\w:]+|process_\w+|up|ALERTS)\b(?=\s*[{\[]|\s|\)|$)")
# Of the exporter's own process, and of Prometheus.
FOREIGN = {"up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes"}

# Shown on /metrics, and drawn nowhere.
NOT_DRAWN = {
    "pprof_exporter_discovered_targets": "all targets together are drawn; by job for ad-hoc queries",
    "pprof_exporter_rejected_targets": "the log names them",
    "pprof_exporter_probes_total": "for ad-hoc queries: Prometheus itself tells which probes fail",
    "pprof_exporter_probed_targets": "for ad-hoc queries",
    "pprof_allocated_objects_total": "bytes tell more; for those who look into one program",
    "pprof_canary_failures_total": "among the failed fetches, which are drawn",
    "pprof_changes_total": "upgrades are marked by their time",
    "pprof_cpu_undecided_seconds_total": "says why there is no coverage; what is accounted for is drawn",
    "pprof_cpu_reading_seconds": "explains the CPU time of a light target; small",
    "pprof_clock_drift_ratio": "for those who compare clocks",
    "pprof_cpu_coverage_ratio": "of one window; half an hour of them is drawn",
    "pprof_function_heap_growth_bytes": "where the runbook of PprofHeapGrowth leads to",
    "pprof_handler_window_seconds": "a note on the target's page names the handler",
    "pprof_gc_cpu_ratio": "since the start of the program; the share of samples is drawn",
    "pprof_tick_audits_total": "for ad-hoc queries",
    "pprof_tick_gaps": "the histogram of intervals is drawn",
    "pprof_contentions_total": "seconds tell more",
    "pprof_contention_profiling_enabled": "off is Go's default: a note on the target's page",
    "pprof_exporter_config_last_reload_success_timestamp_seconds": "in the text of an alert",
    "pprof_function_allocated_bytes": "for ad-hoc queries: the profile itself tells more",
    "pprof_function_contention_seconds": "for ad-hoc queries: the profile itself tells more",
    "pprof_gc_unseen_cycles_total": "says how far the histogram of pauses is complete",
    "pprof_gc_pauses_within_cpu_profiles_total": "explains a single odd profile",
    "pprof_goroutine_creators": "only where printed stacks are on",
    "pprof_goroutine_longest_wait_seconds": "only where printed stacks are on",
    "pprof_heap_inuse_objects": "bytes tell more",
    "pprof_exporter_reply_bytes_in_flight": "for setting limits.bytes_in_flight; fetches without room are drawn",
    "pprof_exporter_reply_bytes_in_flight_limit": "as before",
    "pprof_exporter_reply_wait_seconds_total": "for ad-hoc queries, see docs/scaling.md",
    "pprof_max_resident_memory_bytes": "for ad-hoc queries",
    "pprof_modules": "the foreign ones are drawn by name",
    "pprof_profile_records": "explains the size of a heap profile",
    "pprof_profile_size_bytes": "bytes over the wire are drawn",
}


def used(*expressions: str) -> set[str]:
    return {name for expression in expressions for name in NAME.findall(expression)}


def exposed() -> dict[str, str]:
    """Names of series by name of their family."""
    names: dict[str, str] = {}
    for family in FAMILIES:
        histogram = family.type is MetricType.HISTOGRAM
        names |= {f"{family.name}{end}": family.name for end in (("_bucket", "_sum", "_count") if histogram else ("",))}
    return names


IN_PANELS = used(
    *(query.expr for one in DASHBOARDS for row in one.rows for panel in row.panels for query in panel.queries)
)
IN_CHOICES = used(*(variable.query for one in DASHBOARDS for variable in one.variables))
IN_RULES = used(*(alert.expr for alert in ALERTS), *(record.expr for record in RECORDING_RULES))
RECORDED = {record.name: used(record.expr) for record in RECORDING_RULES}


def grounds(names: set[str]) -> set[str]:
    """The series that these names rest on, recording rules resolved."""
    found: set[str] = set()
    for name in names:
        found |= grounds(RECORDED[name]) if name in RECORDED else {name}
    return found


def test_panels_ask_for_nothing_that_does_not_exist() -> None:
    assert (IN_PANELS | IN_CHOICES) - set(exposed()) - set(RECORDED) - FOREIGN == set()


def test_every_family_is_drawn_or_alerted_on_or_has_a_reason_not_to_be() -> None:
    names = exposed()
    seen = {names[name] for name in IN_PANELS | IN_CHOICES | IN_RULES if name in names}
    unseen = {family.name for family in FAMILIES} - seen
    assert unseen - set(NOT_DRAWN) == set()
    assert set(NOT_DRAWN) <= {family.name for family in FAMILIES}
    assert set(NOT_DRAWN) & seen == set(), "these are used after all"


@pytest.mark.parametrize("signal", FAILURE_MODES, ids=lambda signal: signal.id)
def test_every_failure_mode_has_a_panel(signal: FailureMode) -> None:
    names = exposed()
    families = {family.name for family in signal.families}
    assert {names.get(name) for name in grounds(IN_PANELS)} & families


def test_every_recording_rule_is_used() -> None:
    assert set(RECORDED) - IN_PANELS - IN_RULES == set()
