"""The exception for bytes that are not a usable profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pprof_exporter.catalog import Reason

if TYPE_CHECKING:
    from pprof_exporter.catalog.hints import Hint


class DecodeError(Exception):
    """The bytes are not a usable profile. `reason` is one of a closed set, the text has the detail.

    `hint` names what the bytes are instead, if that was recognised.
    """

    def __init__(self, reason: Reason, detail: str, hint: Hint | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.hint = hint
