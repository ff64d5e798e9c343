"""The one exception that reading a profile may raise."""

from __future__ import annotations

from pprof_exporter.catalog import Reason


class DecodeError(Exception):
    """The bytes are not a profile that can be used; `reason` says why in a closed set, the text in words."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
