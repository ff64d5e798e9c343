"""Write what deployments hold of rules, dashboards and the version: `make docs`. A test compares every file."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from pprof_exporter import __version__
from pprof_exporter.dashboards import DASHBOARDS, Dashboard, render_dashboard
from pprof_exporter.rules import GROUPS, render_rules

DEPLOY = Path(__file__).parent
CHART = DEPLOY / "helm" / "pprof-exporter"
KUBERNETES = DEPLOY / "kubernetes"
COMPOSE = DEPLOY / "compose"
_MARK = "# Written by deploy/generate.py: change {source}, then run `make docs`.\n"


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    rules = render_rules(GROUPS)
    return {
        KUBERNETES / "monitoring" / "prometheusrule.yaml": prometheus_rule(rules),
        KUBERNETES / "monitoring" / "dashboards.yaml": config_maps(),
        CHART / "files" / "pprof.rules.yaml": rules,
        **{CHART / "files" / "dashboards" / f"{one.uid}.json": render_dashboard(one) for one in DASHBOARDS},
        COMPOSE / "prometheus.yml": compose_prometheus(),
        COMPOSE / "alertmanager.yml": compose_alertmanager(),
        CHART / "Chart.yaml": _stamped(CHART / "Chart.yaml", r"(?<=^version: )\S+|(?<=^appVersion: )\S+"),
        **{
            path: _stamped(path, r"(?<=newTag: )\S+")
            for path in (KUBERNETES / name / "kustomization.yaml" for name in ("example", "standalone"))
        },
    }


def prometheus_rule(rules: str) -> str:
    """The rules as an object of the Prometheus Operator."""
    head = (
        "apiVersion: monitoring.coreos.com/v1\n"
        "kind: PrometheusRule\n"
        "metadata:\n"
        "  name: pprof-exporter\n"
        "  labels: {app.kubernetes.io/name: pprof-exporter}\n"
        "spec:\n"
    )
    groups = rules[rules.index("groups:\n") :]
    return _MARK.format(source="the sources of the rules") + head + textwrap.indent(groups, "  ")


def config_maps() -> str:
    """Each dashboard as a ConfigMap: together they are near the most that one may hold."""
    return _MARK.format(source="the sources of the dashboards") + "---\n".join(map(_config_map, DASHBOARDS))


def _config_map(dashboard: Dashboard) -> str:
    text = render_dashboard(dashboard)
    head = (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        f"  name: {dashboard.uid}-dashboard\n"
        '  labels: {app.kubernetes.io/name: pprof-exporter, grafana_dashboard: "1"}\n'
        "data:\n"
        f"  {dashboard.uid}.json: |\n"
    )
    return head + textwrap.indent(text, "    ")


def compose_prometheus() -> str:
    """The example configuration of Prometheus, with the names that services have among containers."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    text = _replaced(text, "../../rules/pprof.rules.yaml", "rules/pprof.rules.yaml")
    text = _replaced(text, "localhost:9093", "alertmanager:9093")
    return _MARK.format(source="deploy/prometheus/prometheus.yml") + text


def compose_alertmanager() -> str:
    """The example configuration of Alertmanager without its receivers' addresses, so that nothing is sent."""
    text = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    receivers = re.search(r"^receivers:\n(?:(?:  .*)?\n)+", text, re.MULTILINE)
    settings = re.search(r"^global:\n(?:  .*\n)+\n", text, re.MULTILINE)
    if receivers is None or settings is None:
        raise ValueError("deploy/alertmanager/alertmanager.yml has no receivers or global section")
    names = re.findall(r"^  - name: (\S+)", receivers[0], re.MULTILINE)
    quiet = "receivers:  # They take alerts and send nothing: look at them on the page of Alertmanager.\n"
    quiet += "".join(f"  - name: {name}\n" for name in names) + "\n"
    text = text.replace(receivers[0], quiet).replace(settings[0], "")
    return _MARK.format(source="deploy/alertmanager/alertmanager.yml") + text


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ValueError(f"{old} is not there any more")
    return text.replace(old, new)


def _stamped(path: Path, pattern: str) -> str:
    """The file with the version of the program in these places."""
    return re.sub(pattern, f'"{__version__}"', path.read_text(encoding="utf-8"), flags=re.MULTILINE)


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
