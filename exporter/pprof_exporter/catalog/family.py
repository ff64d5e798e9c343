"""What a metric family is, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MetricType(StrEnum):
    """Prometheus metric types that this exporter uses."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family.

    `name` is the exposed name, suffix included (`_total` of a counter, `_info` of an info). `labels` are those that
    every series of the family has; the labels that a user gave to a target come on top. `buckets` are the upper
    bounds of a histogram, without +Inf.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def unit(self) -> str:
        """Base unit named in the name (`seconds`, `bytes`, `ratio`, `hertz`), or "" for a plain count or state."""
        bare = self.name.removesuffix("_total")
        return next((unit for unit in ("seconds", "bytes", "ratio", "hertz") if bare.endswith(f"_{unit}")), "")


def counter(name: str, help_: str, *labels: str) -> Family:
    """A value that only grows, until a restart."""
    return Family(name, MetricType.COUNTER, help_, labels)


def gauge(name: str, help_: str, *labels: str) -> Family:
    """A value that is what it is now."""
    return Family(name, MetricType.GAUGE, help_, labels)


def info(name: str, help_: str, *labels: str) -> Family:
    """A constant 1 that carries labels."""
    return Family(name, MetricType.INFO, help_, labels)


def histogram(name: str, help_: str, *labels: str, buckets: tuple[float, ...]) -> Family:
    """Counts of observations at or below each bound."""
    return Family(name, MetricType.HISTOGRAM, help_, labels, buckets)
