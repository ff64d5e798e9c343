"""What a dashboard is, before it becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pprof_exporter.catalog.thresholds import BY_NAME


class Colour(StrEnum):
    """Colours mean one thing, on every dashboard."""

    GOOD = "green"
    NOTE = "blue"
    """Worth knowing: an upgrade, an info."""
    WARNING = "orange"
    CRITICAL = "red"
    UNKNOWN = "text"
    BEFORE = "#8AB8FF"
    """What was before an upgrade, or while nothing is profiled: pale."""
    NOW = "#3274D9"
    """What is now: plain."""
    ELSEWHERE = "purple"
    """What is neither: the rest, the other."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, with the variables of the dashboard in it; `legend` is Grafana's template for the name of a series.

    `instant` asks for now alone. `colour` is fixed for all series of the query.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class ColourSteps:
    """Where colours change: from the lowest value up, the first colour for all below."""

    first: Colour
    steps: tuple[tuple[float, Colour], ...] = ()


def above(warning: str, critical: str = "") -> ColourSteps:
    """Good below the threshold of this name, and bad above."""
    steps = [(BY_NAME[warning].value, Colour.WARNING)]
    if critical:
        steps.append((BY_NAME[critical].value, Colour.CRITICAL))
    return ColourSteps(Colour.GOOD, tuple(steps))


def below(warning: str, critical: str = "") -> ColourSteps:
    """Good above the threshold of this name, and bad below."""
    good = (BY_NAME[warning].value, Colour.GOOD)
    if critical:
        return ColourSteps(Colour.CRITICAL, ((BY_NAME[critical].value, Colour.WARNING), good))
    return ColourSteps(Colour.WARNING, (good,))


NONE_IS_GOOD = ColourSteps(Colour.GOOD, ((1, Colour.WARNING),))
"""For counts of what should not be."""
NONE_MAY_BE = ColourSteps(Colour.GOOD, ((1, Colour.CRITICAL),))
"""For counts of what is an outage."""
ONE_COLOUR = ColourSteps(Colour.NOW)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `type` is Grafana's, sizes are of its grid of 24 columns.

    `defaults` and `options` are as in Grafana's JSON, and so are overrides and transformations.
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
    """A choice at the top. `query` is Grafana's for Prometheus; `all_value` is what All stands for, "" for none.

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
    """For a choice from a fixed list; then there is no query."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. `matchers` is what its upgrade annotations select by."""

    uid: str
    title: str
    description: str
    variables: tuple[DashboardVariable, ...]
    rows: tuple[Row, ...]
    matchers: str = ""
    hours: int = 6
