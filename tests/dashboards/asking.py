"""Asking a Prometheus what a panel asks."""

from __future__ import annotations

import json
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from pprof_exporter.dashboards import DASHBOARDS


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a dashboard shows, in seconds, and the values of its variables by `$name`."""

    start: float
    end: float
    step: float
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """Series as the API gives them, what the server has to remark about the query, and the seconds that it took."""

    series: list[dict[str, Any]]
    remarks: list[str]
    took: float

    @property
    def finite(self) -> bool:
        """Whether there is a number to draw."""
        return any(
            math.isfinite(float(value))
            for series in self.series
            for _, value in series.get("values") or [series["value"]]
        )


def asked(url: str, expr: str, span: Span, *, instant: bool) -> Answer:
    """What the server at `url` answers to an expression with the variables put in."""
    for name, value in span.variables.items():
        expr = expr.replace(name, value)
    parameters: dict[str, Any] = {"query": expr}
    if instant:
        parameters["time"] = span.end
    else:
        parameters |= {"start": span.start, "end": span.end, "step": span.step}
    query = f"{url}/api/v1/query{'' if instant else '_range'}?{urllib.parse.urlencode(parameters)}"
    began = time.monotonic()
    with urllib.request.urlopen(query, timeout=30) as reply:
        answer = json.load(reply)
    took = time.monotonic() - began
    return Answer(answer["data"]["result"], [*answer.get("warnings", []), *answer.get("infos", [])], took)


def panels() -> list[Any]:
    """Each panel with its dashboard, as parameters."""
    return [
        pytest.param(dashboard, panel, id=f"{dashboard.uid}: {panel.title}")
        for dashboard in DASHBOARDS
        for row in dashboard.rows
        for panel in row.panels
    ]
