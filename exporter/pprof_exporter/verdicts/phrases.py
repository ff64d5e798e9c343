"""Figures and names as the sentences of verdicts write them."""

from __future__ import annotations

from collections.abc import Iterable


def percent(share: float) -> str:
    """A share as text: `7 %`, `0.4 %`."""
    return f"{100 * share:.2g} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"


def seconds(value: float) -> str:
    """A time as text, with three digits: `1.25 s`, `12.5 ms`."""
    return f"{value:.3g} s" if abs(value) >= 1 else f"{1000 * value:.3g} ms"


def size(value: float) -> str:
    """Bytes as text, with three digits: `812 B`, `4.1 KiB`, `64 MiB`."""
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1000:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GiB" if abs(value) < 1000 else f"{value:.0f} GiB"


def joined(names: Iterable[str]) -> str:
    """`heap`, `heap and block`, `heap, block and mutex`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
