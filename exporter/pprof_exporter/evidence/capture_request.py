"""What an alert asks for: a capture of its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """A firing alert of a target. `alert` is an alert of this project or "", `mode` a failure mode or ""."""

    target: str
    alert: str
    mode: str
    level: str
    said: str
