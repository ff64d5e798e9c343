"""Builders for the panel types of the dashboards, so that a panel takes a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pprof_exporter.dashboards.model import ONE_COLOUR, Colour, ColourSteps, Panel, Query


def stat(
    title: str, description: str, expr: str, *, unit: str = "short", limits: ColourSteps = ONE_COLOUR, width: int = 4
) -> Panel:
    """One number, coloured by its limits."""
    options = {
        "colorMode": "background_solid" if limits is not ONE_COLOUR else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value",
        "wideLayout": True,
    }
    queries = (Query(expr, instant=True),)
    return Panel(title, description, "stat", queries, width, 4, unit=unit, limits=limits, options=options)


def lines(  # noqa: PLR0913 - each is a property of the picture.
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    limits: ColourSteps | None = None,
    width: int = 12,
    height: int = 8,
    stacked: bool = False,
    shades: Colour = Colour.NOW,
) -> Panel:
    """Series over time, in shades of one colour unless a query has its own; limits are dashed lines."""
    custom = {
        "drawStyle": "line",
        "fillOpacity": 25 if stacked else 5,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    defaults = {"color": {"fixedColor": shades.value, "mode": "shades"}, "custom": custom, "min": 0}
    options = {
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return Panel(
        title,
        description,
        "timeseries",
        queries,
        width,
        height,
        unit=unit,
        limits=limits,
        defaults=defaults,
        options=options,
    )


def signed(panel: Panel) -> Panel:
    """The same panel with an axis that can go below zero."""
    return replace(panel, defaults={key: value for key, value in panel.defaults.items() if key != "min"})


SEVERITIES: tuple[tuple[int, str, Colour], ...] = (
    (0, "ok", Colour.GOOD),
    (1, "info", Colour.NOTE),
    (2, "warning", Colour.WARNING),
    (3, "critical", Colour.CRITICAL),
)
"""Severities of the worst alert: number in the data, word in the panel, colour."""


def value_mappings(values: Sequence[tuple[int, str, Colour]]) -> list[dict[str, Any]]:
    """Value mappings of numbers to words with fixed colours; thresholds would give all of them one colour."""
    return [
        {
            "options": {
                str(value): {"color": colour.value, "index": index, "text": text}
                for index, (value, text, colour) in enumerate(values)
            },
            "type": "value",
        }
    ]


def with_words(panel: Panel, values: Sequence[tuple[int, str, Colour]]) -> Panel:
    """The same panel with words in place of some numbers."""
    return replace(panel, defaults={**panel.defaults, "mappings": value_mappings(values)})


def timeline(title: str, description: str, query: Query, *, width: int = 24, height: int = 9) -> Panel:
    """The worst severity of each series over time."""
    defaults = {
        "color": {"fixedColor": Colour.GOOD.value, "mode": "fixed"},
        "custom": {"fillOpacity": 80, "insertNulls": False, "lineWidth": 0, "spanNulls": False},
        "mappings": value_mappings(SEVERITIES),
    }
    options = {
        "alignValue": "left",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        title, description, "state-timeline", (query,), width, height, defaults=defaults, options=options, interval="1m"
    )


def heatmap(title: str, description: str, expr: str, *, unit: str = "s", width: int = 12, height: int = 8) -> Panel:
    """Distribution of a histogram over time; `expr` gives a rate by `le`."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "blue",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Blues",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": False},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    defaults = {"custom": {"hideFrom": {"legend": False, "tooltip": False, "viz": False}}}
    queries = (Query(expr, "{{le}}"),)
    return Panel(
        title,
        description,
        "heatmap",
        queries,
        width,
        height,
        unit=unit,
        defaults=defaults,
        options=options,
        interval="1m",
    )


def bars(title: str, description: str, query: Query, *, unit: str = "short", width: int = 12, height: int = 8) -> Panel:
    """One bar for each series, the longest first."""
    defaults = {"color": {"fixedColor": Colour.NOW.value, "mode": "fixed"}, "min": 0}
    options = {
        "displayMode": "basic",
        "maxVizHeight": 24,
        "minVizHeight": 12,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": False,
        "sizing": "auto",
        "valueMode": "color",
    }
    return Panel(title, description, "bargauge", (query,), width, height, unit=unit, defaults=defaults, options=options)


Column = tuple[str, str, int, Mapping[str, Any]]
"""Field name, title, width in pixels, and field configuration that differs from the default."""


def table(  # noqa: PLR0913 - each is a property of the picture.
    title: str,
    description: str,
    *queries: Query,
    columns: Sequence[Column],
    transformations: Sequence[Mapping[str, Any]],
    sort_by: str = "",
    descending: bool = True,
    width: int = 24,
    height: int = 9,
) -> Panel:
    """A table. Every column has a width, since Grafana cuts content that does not fit."""
    options = {
        "cellHeight": "sm",
        "footer": {"countRows": False, "fields": "", "reducer": ["sum"], "show": False},
        "showHeader": True,
        "sortBy": [{"desc": descending, "displayName": sort_by}] if sort_by else [],
    }
    return Panel(
        title,
        description,
        "table",
        tuple(replace(query, instant=True) for query in queries),
        width,
        height,
        defaults={"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}},
        options=options,
        overrides=[_column(column) for column in columns],
        transformations=transformations,
    )


def _column(column: Column) -> dict[str, Any]:
    name, title, width, own = column
    properties = {"displayName": title, "custom.width": width, **own}
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def coloured_cells(limits: ColourSteps) -> dict[str, Any]:
    """Field configuration of a column with cells coloured by limits."""
    first: dict[str, Any] = {"color": limits.first.value, "value": None}
    steps = [first, *({"color": colour.value, "value": at} for at, colour in limits.steps)]
    return {
        "custom.cellOptions": {"type": "color-text"},
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }


def word_cells(values: Sequence[tuple[int, str, Colour]]) -> dict[str, Any]:
    """Field configuration of a column with words in place of numbers."""
    return {"mappings": value_mappings(values), "custom.cellOptions": {"mode": "basic", "type": "color-background"}}


def merge_queries(*hidden: str, order: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Transformations that merge all queries of a table by labels, hide fields, and order the others."""
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": dict.fromkeys(("Time", *hidden), True),
                "includeByName": {},
                "indexByName": {name: index for index, name in enumerate(order)},
                "renameByName": {},
            },
        },
    ]
