"""Values of signals as text, in the unit that the signal name ends with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pprof_exporter.compare.statistics import Estimate

_SCALES = {
    "_seconds": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "_bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1.0, "B")),
    "_hertz": ((1.0, "Hz"),),
}
_SMALLEST_P = 0.001


def signal_value(signal: str, value: float, *, sign: bool = False) -> str:
    """`12.5 ms`, `64 %`, `100 Hz`, `1.5 MiB`, `7`, `2 MiB/s`. With `sign` a difference; of shares in percentage points.

    What is per second has `/s` after the unit.
    """
    plus = "+" if sign and value >= 0 else ""
    name = signal.partition(":")[0]
    if name.endswith("_ratio"):
        return f"{plus}{_digits(100 * value)} {'pp' if sign else '%'}"
    rate = name.removesuffix("_per_second")
    if rate != name:
        return f"{signal_value(rate, value, sign=sign)}/s"
    steps = next((steps for unit, steps in _SCALES.items() if name.endswith(unit)), ())
    for size, unit in steps:
        if abs(value) >= size:
            return f"{plus}{_digits(value / size)} {unit}"
    return f"{plus}{_digits(value / steps[-1][0])} {steps[-1][1]}" if steps else f"{plus}{_digits(value)}"


def share_text(value: float, *, sign: bool = False) -> str:
    """A share in percent with one decimal. With `sign` a difference in percentage points."""
    return f"{100 * value:+.1f} pp" if sign else f"{100 * value:.1f} %"


def change_text(signal: str, ratio: Estimate | None, shift: Estimate | None) -> str:
    """The factor if all values are positive and no shares, else the difference, each with its interval."""
    if ratio is not None and "_ratio" not in signal:
        return f"×{ratio.value:.3g}{_within(ratio, lambda bound: f'×{bound:.3g}')}"
    if shift is None:
        return ""
    interval = _within(shift, lambda bound: signal_value(signal, bound, sign=True))
    return f"{signal_value(signal, shift.value, sign=True)}{interval}"


def p_value(p: float) -> str:
    """`p = 0.012`, `p < 0.001`."""
    return f"p < {_SMALLEST_P}" if p < _SMALLEST_P else f"p = {p:.2g}"


def utc_time(at: float | None) -> str:
    """A Unix time in UTC."""
    return "unknown" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def plural(count: int, name: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count} {name}{'' if count == 1 else 's'}"


def _digits(value: float) -> str:
    """Three digits, without an exponent."""
    text = f"{value:.3g}"
    return f"{value:,.0f}" if "e+" in text else text


def _within(estimate: Estimate, say: Callable[[float], str]) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({say(estimate.low)} to {say(estimate.high)})"
