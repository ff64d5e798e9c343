"""Pure checks: a profile in, signals out. A new check is a new file here and a line in `CHECKS`."""

from __future__ import annotations

from pprof_exporter.health.losses import losses
from pprof_exporter.health.signal import Check, Signal
from pprof_exporter.health.symbols import symbols
from pprof_exporter.profile import Profile

CHECKS: tuple[Check, ...] = (losses, symbols)


def signals(profile: Profile) -> list[Signal]:
    """Every signal that one profile can give by itself."""
    return [signal for check in CHECKS for signal in check(profile)]


__all__ = ["CHECKS", "Check", "Signal", "signals"]
