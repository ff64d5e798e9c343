"""Every failure mode that the exporter watches for, F1 to F20: what tells of it, how that is computed, what it hides.

The page docs/signals.md is made from here.
"""

from __future__ import annotations

from pprof_exporter.catalog.signals import fetches, samples, targets, upgrades
from pprof_exporter.catalog.signals.signal import Signal

SIGNALS: tuple[Signal, ...] = tuple(
    sorted(
        (*samples.SIGNALS, *targets.SIGNALS, *fetches.SIGNALS, *upgrades.SIGNALS),
        key=lambda signal: int(signal.mode.removeprefix("F")),
    )
)

__all__ = ["SIGNALS", "Signal"]
