"""The Grafana dashboards: sources here, what people import in `grafana/`."""

from __future__ import annotations

from pprof_exporter.dashboards import exporter, fleet, target, upgrade
from pprof_exporter.dashboards.model import Dashboard, Panel, Query, Row, Variable
from pprof_exporter.dashboards.render import as_json, render

DASHBOARDS: tuple[Dashboard, ...] = (fleet.DASHBOARD, target.DASHBOARD, upgrade.DASHBOARD, exporter.DASHBOARD)

__all__ = ["DASHBOARDS", "Dashboard", "Panel", "Query", "Row", "Variable", "as_json", "render"]
