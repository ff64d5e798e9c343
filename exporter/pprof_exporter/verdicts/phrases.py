"""Figures and names as the sentences of verdicts write them."""

from __future__ import annotations

import time
from collections.abc import Iterable


def percent(share: float) -> str:
    """A share as text: `7 %`, `0.4 %`."""
    return f"{100 * share:.2g} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"


def seconds(value: float) -> str:
    """A time as text, with three digits: `1.25 s`, `12.5 ms`."""
    return f"{value:.3g} s" if abs(value) >= 1 else f"{1000 * value:.3g} ms"


def moment(at: float) -> str:
    """Unix time as text, to the minute: `2026-11-28 23:10 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def joined(names: Iterable[str]) -> str:
    """`heap`, `heap and block`, `heap, block and mutex`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
