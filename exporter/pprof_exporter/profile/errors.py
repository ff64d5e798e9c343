"""The exception for bytes that are not a usable profile."""

from __future__ import annotations

from pprof_exporter.catalog import Reason


class DecodeError(Exception):
    """The bytes are not a usable profile. `reason` is one of a closed set, the text has the detail."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
