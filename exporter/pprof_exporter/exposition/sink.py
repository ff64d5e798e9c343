"""Collects series by family, as metrics of the client library."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from pprof_exporter.catalog import FAMILIES, Family, MetricType
from pprof_exporter.escaping import label_text


class SeriesSink(Protocol):
    """Receives the series of a target one by one."""

    def add(self, family: Family, labels: dict[str, str], value: float) -> None:
        """Add one series of a counter, gauge or info."""

    def add_known(self, family: Family, labels: dict[str, str], value: float | None) -> None:
        """Add one series, unless the value is None."""

    def add_histogram(self, family: Family, labels: dict[str, str], counts: Sequence[int], total: float) -> None:
        """Add one histogram. `counts` are per bucket and not cumulative; the last one is for +Inf."""


class MetricSink:
    """A `SeriesSink` that gives metrics in the order of the catalogue."""

    def __init__(self) -> None:
        self._samples: dict[Family, list[Sample]] = {family: [] for family in FAMILIES}

    def add(self, family: Family, labels: dict[str, str], value: float) -> None:
        """Add one series of a counter, gauge or info."""
        self._samples[family].append(Sample(family.name, _written(labels), value))

    def add_known(self, family: Family, labels: dict[str, str], value: float | None) -> None:
        """Add one series, unless the value is None."""
        if value is not None:
            self.add(family, labels, value)

    def add_histogram(self, family: Family, labels: dict[str, str], counts: Sequence[int], total: float) -> None:
        """Add one histogram. `counts` are per bucket and not cumulative; the last one is for +Inf."""
        bounds = (*map(floatToGoString, family.buckets), "+Inf")
        samples = self._samples[family]
        labels = _written(labels)
        cumulative = list(accumulate(counts))
        for bound, count in zip(bounds, cumulative, strict=True):
            samples.append(Sample(f"{family.name}_bucket", {**labels, "le": bound}, count))
        samples.append(Sample(f"{family.name}_count", labels, cumulative[-1]))
        samples.append(Sample(f"{family.name}_sum", labels, total))

    def metrics(self) -> list[Metric]:
        """Every family that has series."""
        return [_metric(family, samples) for family, samples in self._samples.items() if samples]


def empty_metric(family: Family) -> Metric:
    """A family without series."""
    return _metric(family, [])


def _written(labels: dict[str, str]) -> dict[str, str]:
    return {name: label_text(value) for name, value in labels.items()}


def _metric(family: Family, samples: list[Sample]) -> Metric:
    # The client library adds the suffix of the type itself when it writes HELP and TYPE.
    bare = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}.get(family.type, "")
    metric = Metric(family.name.removesuffix(bare), family.help, family.type.value)
    metric.samples = samples
    return metric
