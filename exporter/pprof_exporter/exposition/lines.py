"""Renders series as lines of the text format; those of OpenMetrics are the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.utils import floatToGoString

from pprof_exporter.catalog import FAMILIES, Family
from pprof_exporter.escaping import label_text

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class TextLines:
    """A `SeriesSink` that renders each series at once; it is made for hundreds of thousands of series."""

    def __init__(self) -> None:
        # By name: hashing a family for every series would cost too much.
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._pairs = _Pairs()

    def add(self, family: Family, labels: dict[str, str], value: float) -> None:
        """Add one series of a counter, gauge or info."""
        written = ",".join(map(self._pairs.__getitem__, labels.items()))
        self._lines[family.name].append(f"{family.name}{{{written}}} {_number(value)}\n")

    def add_known(self, family: Family, labels: dict[str, str], value: float | None) -> None:
        """Add one series, unless the value is None."""
        if value is not None:
            self.add(family, labels, value)

    def add_histogram(self, family: Family, labels: dict[str, str], counts: Sequence[int], total: float) -> None:
        """Add one histogram. `counts` are per bucket and not cumulative; the last one is for +Inf."""
        written = ",".join(map(self._pairs.__getitem__, labels.items()))
        bucket = f'{family.name}_bucket{{{written},le="'
        cumulative = list(accumulate(counts))
        lines = [
            f'{bucket}{bound}"}} {count}.0\n' for bound, count in zip(_BOUNDS[family.buckets], cumulative, strict=True)
        ]
        lines.append(f"{family.name}_count{{{written}}} {cumulative[-1]}.0\n")
        lines.append(f"{family.name}_sum{{{written}}} {_number(total)}\n")
        self._lines[family.name].extend(lines)

    def texts(self) -> dict[str, bytes]:
        """The lines of each family that has series, by family name."""
        return {name: "".join(lines).encode() for name, lines in self._lines.items()}


class _Pairs(dict[tuple[str, str], str]):
    """Cache of rendered labels, since most of them repeat."""

    def __missing__(self, item: tuple[str, str]) -> str:
        name, value = item
        written = self[item] = f'{name}="{label_text(value).translate(_ESCAPES)}"'
        return written


def _number(value: float) -> str:
    # Both formats read Python's notation, except for infinities and NaN.
    written = repr(float(value))
    return written if written[-1] <= "9" else _SPECIAL[written]


_SPECIAL = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
_BOUNDS = {family.buckets: (*map(floatToGoString, family.buckets), "+Inf") for family in FAMILIES if family.buckets}
