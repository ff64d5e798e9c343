"""Typed recording and alerting rules. Expressions and texts have thresholds as `<name>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.catalog.vocabulary import Severity

TARGET = "on (job, instance, target)"
"""Matches series of the same target."""
TARGET_LABELS = "$labels.job $labels.instance $labels.target"
"""The arguments of a template that asks for series of the target of its alert."""
THRESHOLD_PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A recording rule; `name` is `level:metric:operations`."""

    name: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule.

    `mode` is its failure mode as in docs/signals.md (`F1` and so on, "" for the exporter itself). `summary` is one
    line, `description` has the figures and the first thing to do; both are Prometheus templates.
    """

    name: str
    mode: str
    severity: Severity
    expr: str
    for_: str
    summary: str
    description: str
    keep_firing_for: str = ""
    many_targets: bool = False
    """The alert covers many targets, and so has no label `instance`."""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other, every `interval` if it is given."""

    name: str
    rules: tuple[RecordingRule | Alert, ...]
    interval: str = ""


def recorded_lately(record: str) -> str:
    """The latest value of a rule whose group is evaluated every half hour, which Prometheus shows for 5 minutes only.

    The 5 minutes are `query.lookback-delta`. An alert that reads the bare name is false between two evaluations, and
    never fires after its `for`.
    """
    return f"last_over_time({record}[1h])"


class UnknownThreshold(ValueError):
    """A rule or an option names a threshold that does not exist."""


def fill_thresholds(text: str, values: Mapping[str, float]) -> str:
    """The text with every `<name>` replaced by its value: that of `values`, or that of the catalogue."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in THRESHOLDS_BY_NAME:
            raise UnknownThreshold(f"no threshold {name!r}")
        return f"{values.get(name, THRESHOLDS_BY_NAME[name].value):.12g}"

    return THRESHOLD_PLACEHOLDER.sub(value, text)


def thresholds_of(text: str) -> list[str]:
    """Names of the thresholds in a text, in order of appearance."""
    return THRESHOLD_PLACEHOLDER.findall(text)
