"""The variables of the dashboards, and expressions with them that several dashboards share."""

from __future__ import annotations

from pprof_exporter.dashboards.model import DashboardVariable
from pprof_exporter.dashboards.panels import SEVERITIES

# All also selects targets without this label, hence .* and not .+
SERVICE_LABEL = "service"

JOB = DashboardVariable("job", "Job", "label_values(pprof_up, job)")
SERVICE = DashboardVariable(
    "service", "Service", f'label_values(pprof_up{{job=~"$job"}}, {SERVICE_LABEL})', all_value=".*"
)
TARGET_VARIABLE = DashboardVariable(
    "target", "Target", 'label_values(pprof_up{job=~"$job",service=~"$service"}, target)'
)
ONE_TARGET = DashboardVariable(
    "target", "Target", 'label_values(pprof_up{job=~"$job",service=~"$service"}, target)', all_value="", multi=False
)
# The newest change first, so that the page shows it when it is opened after an upgrade.
CHANGED_TARGET = DashboardVariable(
    "target",
    "Target",
    'query_result(sort_desc(max by (target) (pprof_last_change_timestamp_seconds{job=~"$job",service=~"$service"})'
    ' or max by (target) (pprof_up{job=~"$job",service=~"$service"})))',
    all_value="",
    multi=False,
    regex='/target="([^"]+)"/',
    newest_first=True,
)
EXPORTER_JOB = DashboardVariable("job", "Job", "label_values(pprof_exporter_build_info, job)")
INSTANCE = DashboardVariable("instance", "Exporter", 'label_values(pprof_exporter_build_info{job=~"$job"}, instance)')

CHOSEN = 'job=~"$job",service=~"$service",target=~"$target"'
"""Matchers for the selected targets."""
EXPORTERS = 'job=~"$job",instance=~"$instance"'


COVERAGE = f"target:pprof_cpu_coverage:ratio_increase30m{{{CHOSEN}}}"
HEAP_FETCH = f'target_profile:pprof_fetch_duration_seconds:mean30m{{profile="heap",{CHOSEN}}}'
REGRESSED = f"target_signal:pprof_signal_median:regressed{{{CHOSEN}}}"


def firing(*matchers: str) -> str:
    """Firing alerts of the selected targets."""
    chosen = ",".join(('alertname=~"Pprof.+"', 'alertstate="firing"', *matchers, CHOSEN))
    return f"ALERTS{{{chosen}}}"


NO_INFO = 'severity!="info"'
"""Alerts for information are no findings: they neither count nor give a target a state."""


def worst_severity(*labels: str, info: bool = True) -> str:
    """The worst firing severity for each set of these labels, as a number; no series if nothing fires."""
    by = ", ".join(labels)
    severities = [(number, word) for number, word, _ in SEVERITIES if number and (info or word != "info")]
    of = {word: firing('severity="' + word + '"') for _, word in severities}
    return " or ".join(f"{number} * max by ({by}) ({of[word]})" for number, word in reversed(severities))
