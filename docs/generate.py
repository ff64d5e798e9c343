"""Write the references that come from the code: `make docs`. A test fails when a page is not what this writes."""

from __future__ import annotations

import re
import sys
import textwrap
from enum import StrEnum
from pathlib import Path

from pprof_exporter.catalog import SECTIONS, Deferral, Family, MetricType, Outcome, Phase, Reason, Skip
from pprof_exporter.catalog.failure_modes import FAILURE_MODES, FailureMode
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.thresholds import THRESHOLDS, Threshold
from pprof_exporter.dashboards import DASHBOARDS, Dashboard, Row, render_dashboard
from pprof_exporter.profile import KINDS, Kind
from pprof_exporter.rules import (
    ALERTS,
    GROUPS,
    Alert,
    RecordingRule,
    RuleOptions,
    fill_thresholds,
    render_rules,
    thresholds_of,
)

DOCS = Path(__file__).parent
# Beside this file, which is run as a script and loaded by tests from its path.
sys.path.insert(0, str(DOCS.parent))
from docs.floors import ARCHITECTURE, architecture  # noqa: E402
from docs.prose import prose_of  # noqa: E402

RULES = DOCS.parent / "rules"
GRAFANA = DOCS.parent / "grafana" / "dashboards"
_MARK = "<!-- Written by docs/generate.py from the catalogue; edit that, then run `make docs`. -->"

_ABOUT = """\
Every series of a target also has the labels that the target has in the configuration. A value that is unknown has no
series: content of a profile disappears if the profile was not read for two and a half intervals, and all series of a
target disappear once it is no longer configured."""

_ABOUT_SIGNALS = """\
The failure modes of profiling a Go service, and the metrics that detect them. [Concepts](concepts.md) has their
mechanisms. Alerts carry the number of the failure mode as label `failure_mode`. Figures were measured on real Go
programs, most of them Go 1.21 to 1.27. Windows builds ran under Wine: that is Go's own code for Windows, but not the
Windows kernel.

F21, rolling out an upgrade to a few targets first, is a method without metrics of its own: compare groups of targets as
in [F20](#{compare})."""

_ABOUT_ALERTS = """\
Every alert of [pprof.rules.yaml](../rules/pprof.rules.yaml) by failure mode: its condition as Prometheus evaluates it,
how long the condition must hold, its thresholds with their reasons, and its runbook. `critical` is broken now,
`warning` needs attention within the working day, and `info` is a fact on which nobody has to act: the
[example of Alertmanager](../deploy/README.md#alertmanager) sends it to no receiver. Alerts carry the labels
`severity` and `failure_mode`, and those of the target.

To be notified of one with severity `info`, put a route before the one that drops them:

```yaml
routes:
  - matchers: [alertname = "PprofKnownBug", severity = "info"]
    receiver: team
    repeat_interval: 7d
```

To change a threshold without editing a rule: `pprof-exporter rules --set cpu_coverage_low=0.7`. All thresholds are
listed [with the signals](signals.md#thresholds)."""

_ABOUT_DASHBOARDS = """\
Four dashboards for Grafana 10.4 and later. Each row answers a question. Colours change at the thresholds of the alerts.
Purple annotations are upgrades, red ones critical alerts.

## Installation

By hand: *Dashboards, New, Import*, and a file of [grafana/dashboards](../grafana/dashboards). The package contains the
same files:

```console
$ pprof-exporter dashboards --output dashboards
```

By provisioning: [grafana/provisioning](../grafana/provisioning) has a data source and a dashboard provider. Grafana
reads them at its start. Mount both folders:

| from | to |
| --- | --- |
| `grafana/provisioning` | `/etc/grafana/provisioning` |
| `grafana/dashboards` | `/etc/grafana/dashboards/pprof` |

The dashboards need [the rules](alerts.md): coverage, means and regressions are recorded series.

## Variables

| variable | purpose |
| --- | --- |
| data source | any Prometheus that scrapes the exporter |
| job, service, target | filters; `service` is a label that you give to targets in the configuration |
| exporter | filter on the dashboard of the exporter |
| compare with | on *upgrade*: the age of the pale lines |"""

_ABOUT_RECORDS = """\
Series that the rules record for alerts, dashboards and ad-hoc queries. They are named `level:metric:operations`. The
level lists the labels of the series, besides those of the exporter and of the user."""

_ABOUT_THRESHOLDS = """\
The limits of alerts and dashboards. To change a value without editing a rule:
`pprof-exporter rules --set NAME=VALUE`."""


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    return {
        ARCHITECTURE: architecture(),
        DOCS / "metrics.md": metrics(),
        DOCS / "reasons.md": reasons(),
        DOCS / "signals.md": signals(),
        DOCS / "alerts.md": alerts(),
        DOCS / "dashboards.md": dashboards(),
        RULES / "pprof.rules.yaml": render_rules(GROUPS),
        **{GRAFANA / f"{dashboard.uid}.json": render_dashboard(dashboard) for dashboard in DASHBOARDS},
    }


def metrics() -> str:
    """The metric reference."""
    parts = [
        "# Metrics",
        _MARK,
        _ABOUT,
    ]
    for title, families in SECTIONS.items():
        parts += [f"## {title}", *map(_family, families)]
    parts += ["## Label values", *_vocabulary(), "## Profiles", _profiles()]
    return "\n\n".join(parts) + "\n"


def reasons() -> str:
    """What each failure reason means, and what to do."""
    rows = "\n".join(f"| `{reason}` | {_sentence(reason.meaning)} | {reason.advice} |" for reason in Reason)
    hints = "\n".join(f"| {_sentence(hint.shows)} | {hint.advice} |" for hint in Hint)
    return f"""# Failure reasons

{_MARK}

Every failure has one of these reasons. It is the label `reason` of `pprof_fetch_failures_total` (no complete reply) or
`pprof_decode_failures_total` (a complete reply that is not a profile), and is in the log and on the page of targets.
`busy` is a separate outcome and not a failure, since it is not a fault of the target. `exhausted` is a fault of the
exporter: it is in `check` and on the debug page of a probe, and in `pprof_exporter_exhausted_total` instead.

| reason | meaning | what to do |
| --- | --- | --- |
{rows}

## What a reply shows beyond its reason

A reason stands for many causes. Where the first bytes, the words of the server or OpenSSL's code name one of them,
the log, the page of the target and `check` say so, with this advice in place of that of the reason. They also have
the status line and the first sentence of the server.

| what it shows | what to do |
| --- | --- |
{hints}
"""


def signals() -> str:
    """The signals of each failure mode, how they are computed, and their thresholds."""
    headings = [f"{mode.id}: {mode.title}" for mode in FAILURE_MODES] + ["Thresholds"]
    compare = next(heading for heading in headings if heading.startswith("F20:"))
    parts = [
        "# Signals",
        _MARK,
        _ABOUT_SIGNALS.format(compare=_anchor(compare)),
        "\n".join(f"- [{heading}](#{_anchor(heading)})" for heading in headings),
        *map(_signal, FAILURE_MODES),
        "## Thresholds",
        _ABOUT_THRESHOLDS,
        _thresholds(),
    ]
    return "\n\n".join(parts) + "\n"


def alerts() -> str:
    """The alert reference."""
    titles = {mode.id: f"{mode.id}: {mode.title}" for mode in FAILURE_MODES} | {"": "The exporter"}
    modes: dict[str, list[str]] = {}
    for alert in sorted(ALERTS, key=lambda alert: list(titles).index(alert.mode)):
        modes.setdefault(alert.name, []).append(titles[alert.mode])
    rows = "\n".join(_row(name, list(dict.fromkeys(places))) for name, places in modes.items())
    parts = [
        "# Alerts",
        _MARK,
        _ABOUT_ALERTS,
        f"| alert | severity | failure mode |\n| --- | --- | --- |\n{rows}",
    ]
    for title in titles.values():
        if names := [name for name, places in modes.items() if places[0] == title]:
            parts += [f"## {title}", *map(_alert, names)]
    records = [rule for group in GROUPS for rule in group.rules if isinstance(rule, RecordingRule)]
    parts += ["## Recorded series", _ABOUT_RECORDS, *(f"`{rule.name}`\n\n{_promql(rule.expr)}" for rule in records)]
    return "\n\n".join(parts) + "\n"


def dashboards() -> str:
    """What each dashboard has, row by row."""
    return "\n\n".join(["# Dashboards", _MARK, _ABOUT_DASHBOARDS, *map(_dashboard, DASHBOARDS)]) + "\n"


def _dashboard(dashboard: Dashboard) -> str:
    return "\n\n".join([f"## {dashboard.title}", dashboard.description, *map(_question, dashboard.rows)])


def _question(row: Row) -> str:
    folded = " (collapsed)" if row.collapsed else ""
    panels = "\n".join(f"| {panel.title} | {panel.description} |" for panel in row.panels)
    return f"**{row.title}**{folded}\n\n| panel | what it shows |\n| --- | --- |\n{panels}"


def _row(name: str, places: list[str]) -> str:
    severities = ", ".join(alert.severity.value for alert in ALERTS if alert.name == name)
    return f"| [{name}](#{_anchor(name)}) | {severities} | {'; '.join(places)} |"


def _alert(name: str) -> str:
    """Every severity of an alert, and once for all of them the thresholds and the runbook."""
    of = [alert for alert in ALERTS if alert.name == name]
    used = {threshold for alert in of for threshold in thresholds_of(alert.expr)}
    rows = "\n".join(_threshold(threshold) for threshold in THRESHOLDS if threshold.name in used)
    parts = [f"### {name}", *map(_condition, of)]
    if rows:
        parts.append(f"| threshold | value | unit | reason |\n| --- | --- | --- | --- |\n{rows}")
    return "\n\n".join([*parts, f"Runbook: [{name}](../rules/runbooks/{name}.md)."])


def _condition(alert: Alert) -> str:
    keep = f", and the alert keeps firing for {alert.keep_firing_for} afterwards" if alert.keep_firing_for else ""
    holds = (
        f"The condition must hold for {alert.for_}" if alert.for_ not in {"0m", "0s"} else "The alert fires immediately"
    )
    return f"**{alert.severity.value.capitalize()}**. {holds}{keep}:\n\n{_promql(alert.expr)}"


def _promql(expr: str) -> str:
    text = fill_thresholds(textwrap.dedent(expr).strip(), RuleOptions().values)
    return f"```promql\n{text}\n```"


def _signal(signal: FailureMode) -> str:
    metrics = ", ".join(f"[`{family.name}`](metrics.md#{_anchor(family.name)})" for family in signal.families)
    issues = ", ".join(map(_issue, signal.issues))
    alerts = ", ".join(_alerts(signal.id))
    prose = prose_of(signal.id)
    parts = [
        f"## {signal.id}: {signal.title}",
        prose.meaning,
        f"Metrics: {metrics}.",
        f"Alerts: {alerts}." if alerts else "",
        "**Computation**",
        prose.computation,
        "**Limits**",
        prose.limits,
        "**Healthy values**",
        prose.healthy,
        f"Reported in {issues}." if issues else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _alerts(mode: str) -> list[str]:
    """Each alert of a mode once, with its severities and a link to its runbook."""
    severities: dict[str, list[str]] = {}
    for alert in ALERTS:
        if alert.mode == mode:
            severities.setdefault(alert.name, []).append(alert.severity.value)
    return [f"[{name}](../rules/runbooks/{name}.md) ({', '.join(of)})" for name, of in severities.items()]


def _issue(issue: str) -> str:
    repository, _, number = issue.partition("#")
    return f"[{issue}](https://github.com/{repository}/issues/{number})"


def _thresholds() -> str:
    rows = "\n".join(map(_threshold, THRESHOLDS))
    return f"| name | value | unit | reason |\n| --- | --- | --- | --- |\n{rows}"


def _threshold(threshold: Threshold) -> str:
    return f"| `{threshold.name}` | {threshold.value:.12g} | {threshold.unit} | {_sentence(threshold.reason)} |"


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _family(family: Family) -> str:
    facts = [family.type.value, *([f"in {family.unit}"] if family.unit else [])]
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    bounds = f" Bounds: {', '.join(f'{bound:g}' for bound in family.buckets)}." if family.buckets else ""
    kind = "gauge that is 1" if family.type is MetricType.INFO else ", ".join(facts)
    return f"### `{family.name}`\n\n{family.help}{bounds}\n\nType: {kind}. Labels: {labels}."


def _vocabulary() -> list[str]:
    sets: dict[str, type[StrEnum]] = {
        "outcome": Outcome,
        "phase": Phase,
        "reason` of `pprof_fetches_skipped_total": Skip,
    }
    sets["reason` of `pprof_fetches_deferred_total"] = Deferral
    lines = [f"- `{label}`: {', '.join(f'`{value}`' for value in values)}" for label, values in sets.items()]
    return ["\n".join([*lines, "- `reason` elsewhere: see [reasons](reasons.md)"])]


def _profiles() -> str:
    rows = "\n".join(_profile(kind) for kind in KINDS.values())
    return f"| profile | path | interval | window | values |\n| --- | --- | --- | --- | --- |\n{rows}"


def _profile(kind: Kind) -> str:
    window = f"{kind.window:g} s" if kind.window else ""
    values = ", ".join(f"`{value.family.name}`" for value in kind.values)
    return f"| `{kind.name}` | `/debug/pprof/{kind.path}` | {kind.interval:g} s | {window} | {values} |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
