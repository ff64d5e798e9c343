"""When the sampling clock is audited."""

from __future__ import annotations

from enum import StrEnum


class AuditWhen(StrEnum):
    """When to audit the sampling clock."""

    OFF = "off"
    ON_CHANGE = "on-change"
    """When a target is first seen, and after each change of its system, program, Go or modules."""
