"""Every failure mode that the exporter detects, F1 to F20: its metrics, how they are computed, what they cannot show.

The page docs/signals.md is generated from this package.
"""

from __future__ import annotations

from pprof_exporter.catalog.failure_modes import fetching_modes, sample_modes, target_modes, upgrade_modes
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES: tuple[FailureMode, ...] = tuple(
    sorted(
        (
            *sample_modes.FAILURE_MODES,
            *target_modes.FAILURE_MODES,
            *fetching_modes.FAILURE_MODES,
            *upgrade_modes.FAILURE_MODES,
        ),
        key=lambda mode: mode.number,
    )
)

__all__ = ["FAILURE_MODES", "FailureMode"]
