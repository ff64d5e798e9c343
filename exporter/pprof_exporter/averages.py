"""Median and mean of a few numbers. `statistics` would load decimal and fractions: half a MiB in every exporter."""

from __future__ import annotations

import math
from collections.abc import Collection


def median_of(values: Collection[float]) -> float:
    """The middle value, or the mean of both that are. Raises `ValueError` without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def mean_of(values: Collection[float]) -> float:
    """The arithmetic mean. Raises `ValueError` without values."""
    if not values:
        raise ValueError("no values")
    return math.fsum(values) / len(values)
