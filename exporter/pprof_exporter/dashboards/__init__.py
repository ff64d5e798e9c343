"""The Grafana dashboards as typed sources; `grafana/` has the JSON that they make."""

from __future__ import annotations

from pprof_exporter.dashboards import exporter_board, fleet_board, target_board, upgrade_board
from pprof_exporter.dashboards.model import Dashboard, DashboardVariable, Panel, Query, Row
from pprof_exporter.dashboards.render import dashboard_json, render_dashboard

DASHBOARDS: tuple[Dashboard, ...] = (
    fleet_board.DASHBOARD,
    target_board.DASHBOARD,
    upgrade_board.DASHBOARD,
    exporter_board.DASHBOARD,
)

__all__ = [
    "DASHBOARDS",
    "Dashboard",
    "DashboardVariable",
    "Panel",
    "Query",
    "Row",
    "dashboard_json",
    "render_dashboard",
]
