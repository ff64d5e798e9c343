"""When a check fails: its exit codes, and the level from which a finding counts."""

from __future__ import annotations

from enum import StrEnum

HEALTHY, FINDINGS, NOT_CHECKED = 0, 1, 2
"""Exit codes."""


class FailOn(StrEnum):
    """The lowest level of a finding that makes the exit code 1. `info` means `warning`: notes never fail a check."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"
