"""The definition of a metric family."""

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

    `name` is the exposed name with its suffix (`_total` of a counter, `_info` of an info). `labels` are those of every
    series of the family; the labels that a user sets for a target are added. `buckets` are the upper bounds of a
    histogram, without +Inf.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def unit(self) -> str:
        """Base unit in the name (`seconds`, `bytes`, `ratio`, `hertz`), or "" for a plain count or state."""
        bare = self.name.removesuffix("_total")
        return next((unit for unit in ("seconds", "bytes", "ratio", "hertz") if bare.endswith(f"_{unit}")), "")


def counter(name: str, help_: str, *labels: str) -> Family:
    """A value that only increases until a restart."""
    return Family(name, MetricType.COUNTER, help_, labels)


def gauge(name: str, help_: str, *labels: str) -> Family:
    """A value that can go up and down."""
    return Family(name, MetricType.GAUGE, help_, labels)


def info(name: str, help_: str, *labels: str) -> Family:
    """A constant 1 with labels."""
    return Family(name, MetricType.INFO, help_, labels)


def histogram(name: str, help_: str, *labels: str, buckets: tuple[float, ...]) -> Family:
    """Counts of observations at or below each bound."""
    return Family(name, MetricType.HISTOGRAM, help_, labels, buckets)
