"""What a rule is, before it becomes YAML. Thresholds stand as `<name>` in expressions and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.catalog.thresholds import BY_NAME

THRESHOLD = re.compile(r"<([a-z][a-z_]*)>")


class Severity(StrEnum):
    """How much of a hurry there is."""

    INFO = "info"
    """Worth knowing; not sent to any receiver by default."""
    WARNING = "warning"
    """To be handled within the working day."""
    CRITICAL = "critical"
    """Profiling, or the service with it, is broken now."""


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule; `name` is `level:metric:operations`."""

    name: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule.

    `mode` is the failure mode that it reports (`F1` and so on, or "" for the exporter itself), as in docs/signals.md.
    `summary` is one line, `description` has the figures and what to do first; both are Prometheus templates.
    """

    name: str
    mode: str
    severity: Severity
    expr: str
    for_: str
    summary: str
    description: str
    keep_firing_for: str = ""
    over_many: bool = False
    """It covers many targets and has no label `instance`."""


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other, every `interval` if it is given."""

    name: str
    rules: tuple[Record | Alert, ...]
    interval: str = ""


class UnknownThreshold(ValueError):
    """A rule or an option names a threshold that does not exist."""


def fill_thresholds(text: str, values: Mapping[str, float]) -> str:
    """The text with every `<name>` replaced by its value: the given one, or that of the catalogue."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in BY_NAME:
            raise UnknownThreshold(f"no threshold {name!r}")
        return f"{values.get(name, BY_NAME[name].value):.12g}"

    return THRESHOLD.sub(value, text)


def thresholds_of(text: str) -> list[str]:
    """Names of the thresholds in a text, in order."""
    return THRESHOLD.findall(text)
