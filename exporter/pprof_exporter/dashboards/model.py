"""Typed dashboards, panels and queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME


class Colour(StrEnum):
    """Colours, each with the same meaning on every dashboard."""

    GOOD = "green"
    NOTE = "blue"
    """For information: an upgrade, an info alert."""
    WARNING = "orange"
    CRITICAL = "red"
    UNKNOWN = "text"
    BEFORE = "#8AB8FF"
    """Before an upgrade, or while nothing is profiled: pale."""
    NOW = "#3274D9"
    """The current state: plain."""
    ELSEWHERE = "purple"
    """Neither good nor bad: the rest, the other."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL with the variables of the dashboard; `legend` is Grafana's template for the series name.

    `instant` queries only the current value. `colour` is fixed for all series of the query.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class ColourSteps:
    """Colour by value, in ascending steps; `first` is the colour below the first step."""

    first: Colour
    steps: tuple[tuple[float, Colour], ...] = ()


def bad_above(warning: str, critical: str = "") -> ColourSteps:
    """Good below the threshold of this name, bad above it."""
    steps = [(THRESHOLDS_BY_NAME[warning].value, Colour.WARNING)]
    if critical:
        steps.append((THRESHOLDS_BY_NAME[critical].value, Colour.CRITICAL))
    return ColourSteps(Colour.GOOD, tuple(steps))


def bad_below(warning: str, critical: str = "") -> ColourSteps:
    """Good above the threshold of this name, bad below it."""
    good = (THRESHOLDS_BY_NAME[warning].value, Colour.GOOD)
    if critical:
        return ColourSteps(Colour.CRITICAL, ((THRESHOLDS_BY_NAME[critical].value, Colour.WARNING), good))
    return ColourSteps(Colour.WARNING, (good,))


ZERO_OR_WARNING = ColourSteps(Colour.GOOD, ((1, Colour.WARNING),))
"""For counts of problems."""
ZERO_OR_CRITICAL = ColourSteps(Colour.GOOD, ((1, Colour.CRITICAL),))
"""For counts of outages."""
ONE_COLOUR = ColourSteps(Colour.NOW)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `type` is Grafana's; sizes are in units of its grid of 24 columns.

    `defaults`, `options`, `overrides` and `transformations` are as in Grafana's JSON.
    """

    title: str
    description: str
    type: str
    queries: tuple[Query, ...]
    width: int
    height: int
    unit: str = "short"
    limits: ColourSteps | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Mapping[str, Any]] = ()
    transformations: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    interval: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One question, and the panels that answer it."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class DashboardVariable:
    """A variable of a dashboard. `query` is Grafana's for Prometheus; `all_value` is the value of All, "" for none.

    `newest_first` keeps the order of the query.
    """

    name: str
    label: str
    query: str
    all_value: str = ".+"
    multi: bool = True
    regex: str = ""
    newest_first: bool = False
    options: tuple[str, ...] = ()
    """The values of a variable without a query."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. `matchers` select its upgrade annotations."""

    uid: str
    title: str
    description: str
    variables: tuple[DashboardVariable, ...]
    rows: tuple[Row, ...]
    matchers: str = ""
    hours: int = 6
