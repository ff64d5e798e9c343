"""Renders dashboards as the classic JSON that Grafana 10.4 and later import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pprof_exporter.dashboards.model import Colour, ColourSteps, Dashboard, DashboardVariable, Panel, Query, Row

_COLUMNS = 24
_SCHEMA = 41
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_TAG = "pprof-exporter"


def render_dashboard(dashboard: Dashboard) -> str:
    """The JSON text with sorted keys, so that a diff shows only changes."""
    return json.dumps(dashboard_json(dashboard), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def dashboard_json(dashboard: Dashboard) -> dict[str, Any]:
    """The JSON value."""
    return {
        "annotations": {"list": [_BUILT_IN, *_annotations(dashboard)]},
        "description": dashboard.description,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_LINK],
        "panels": list(_placed(dashboard.rows)),
        "refresh": "1m",
        "schemaVersion": _SCHEMA,
        "tags": [_TAG],
        "templating": {"list": [_DATASOURCE, *map(_variable, dashboard.variables)]},
        "time": {"from": f"now-{dashboard.hours}h", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
        "weekStart": "",
    }


def _placed(rows: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    """All panels, placed from left to right and downwards; a collapsed row contains its panels."""
    number, top = 0, 0
    for row in rows:
        number += 1
        title = {
            "collapsed": row.collapsed,
            "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": top},
            "id": number,
            "panels": [],
            "title": row.title,
            "type": "row",
        }
        top += 1
        inside, left, lowest = [], 0, top
        for panel in row.panels:
            number += 1
            if left + panel.width > _COLUMNS:
                left, top = 0, lowest
            inside.append(_panel(panel, number, left, top))
            left += panel.width
            lowest = max(lowest, top + panel.height)
        top = lowest
        if row.collapsed:
            yield {**title, "panels": inside}
        else:
            yield title
            yield from inside


def _panel(panel: Panel, number: int, left: int, top: int) -> dict[str, Any]:
    defaults = {
        "color": {"mode": "thresholds"},
        "mappings": [],
        "thresholds": _thresholds(panel.limits or ColourSteps(Colour.GOOD)),
        "unit": panel.unit,
        **panel.defaults,
    }
    rendered = {
        "datasource": _SOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": defaults, "overrides": [*_colours(panel.queries), *panel.overrides]},
        "gridPos": {"h": panel.height, "w": panel.width, "x": left, "y": top},
        "id": number,
        "options": dict(panel.options),
        "targets": [_target(query, panel, index) for index, query in enumerate(panel.queries)],
        "title": panel.title,
        "transformations": list(panel.transformations),
        "type": panel.type,
    }
    if panel.links:
        rendered["links"] = list(panel.links)
    if panel.interval:
        rendered["interval"] = panel.interval
    return rendered


def ref_id(index: int) -> str:
    """The refId of the query with this index: A, B, C, ..."""
    return chr(ord("A") + index)


def _target(query: Query, panel: Panel, index: int) -> dict[str, Any]:
    layout = {"table": "table", "heatmap": "heatmap"}.get(panel.type, "time_series")
    return {
        "datasource": _SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "format": layout,
        "instant": query.instant,
        "legendFormat": query.legend or "__auto",
        "range": not query.instant,
        "refId": ref_id(index),
    }


def _colours(queries: tuple[Query, ...]) -> list[dict[str, Any]]:
    """Colour overrides by query and not by name: a name with a variable never matches."""
    return [
        {
            "matcher": {"id": "byFrameRefID", "options": ref_id(index)},
            "properties": [{"id": "color", "value": {"fixedColor": query.colour.value, "mode": "fixed"}}],
        }
        for index, query in enumerate(queries)
        if query.colour
    ]


def _thresholds(limits: ColourSteps) -> dict[str, Any]:
    first = {"color": limits.first.value, "value": None}
    return {"mode": "absolute", "steps": [first, *({"color": to.value, "value": at} for at, to in limits.steps)]}


def _variable(variable: DashboardVariable) -> dict[str, Any]:
    common = {
        "hide": 0,
        "includeAll": bool(variable.all_value),
        "label": variable.label,
        "multi": variable.multi,
        "name": variable.name,
        "skipUrlSync": False,
    }
    if variable.options:
        choices = [
            {"selected": index == 0, "text": option, "value": option} for index, option in enumerate(variable.options)
        ]
        current = {"text": variable.options[0], "value": variable.options[0]}
        query = ",".join(variable.options)
        return {**common, "type": "custom", "options": choices, "current": current, "query": query}
    return {
        **common,
        **({"allValue": variable.all_value} if variable.all_value else {}),
        "current": {"text": "All", "value": "$__all"} if variable.all_value else {},
        "datasource": _SOURCE,
        "definition": variable.query,
        "options": [],
        "query": {"query": variable.query, "refId": variable.name},
        "refresh": 2,
        "regex": variable.regex,
        "sort": 0 if variable.newest_first else 1,
        "type": "query",
    }


_DATASOURCE = {
    "current": {},
    "hide": 0,
    "includeAll": False,
    "label": "Data source",
    "multi": False,
    "name": "datasource",
    "options": [],
    "query": "prometheus",
    "refresh": 1,
    "regex": "",
    "skipUrlSync": False,
    "type": "datasource",
}

_LINK = {
    "asDropdown": True,
    "icon": "external link",
    "includeVars": True,
    "keepTime": True,
    "tags": [_TAG],
    "targetBlank": False,
    "title": "pprof dashboards",
    "tooltip": "",
    "type": "dashboards",
    "url": "",
}

_BUILT_IN = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def _annotations(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Annotations for upgrades and for starts of alerts; the latter are off by default."""
    if not dashboard.matchers:
        return []
    changed = f"pprof_last_change_timestamp_seconds{{{dashboard.matchers}}}"
    return [
        {
            "datasource": _SOURCE,
            "enable": True,
            # Only samples right after the change: each sample would be a separate event, all at the same time. Grafana
            # expects milliseconds.
            "expr": f"{changed} * 1000 and time() - {changed} < 300",
            "hide": False,
            "iconColor": Colour.ELSEWHERE.value,
            "name": "Upgrades",
            "tagKeys": "change,target",
            "textFormat": "{{target}}",
            "titleFormat": "{{change}} changed",
            "useValueForTime": "on",
        },
        {
            "datasource": _SOURCE,
            "enable": False,
            "expr": f'ALERTS{{alertname=~"Pprof.+",alertstate="firing",{dashboard.matchers}}}',
            "hide": False,
            "iconColor": Colour.CRITICAL.value,
            "name": "Alerts",
            "tagKeys": "severity,target",
            "textFormat": "{{target}}",
            "titleFormat": "{{alertname}}",
        },
    ]
