"""A target that accepts connections and never answers.

The system accepts connections for a process that no longer runs; and a Go program in which the world cannot be stopped
(golang/go 80982, 80665, 36492) still serves the index page, but not a goroutine profile.
"""

from __future__ import annotations

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.catalog.vocabulary import INDEX

_GOROUTINE = "goroutine"


class Wedge:
    """Whether the index page and the goroutine profile hang. An unknown state is left out."""

    def __init__(self) -> None:
        self.hangs: dict[str, bool] = {}

    def record(self, name: str, reason: Reason | None) -> None:
        """Record how a fetch ended: `reason` is None for success. Other names are ignored."""
        if name not in (INDEX, _GOROUTINE):
            return
        if reason is not None and reason.group is ReasonGroup.UNREACHABLE:
            self.hangs.pop(name, None)
        else:
            self.hangs[name] = reason is Reason.TIMEOUT_HEADER
        if name == INDEX and self.hangs.get(INDEX) is not False:
            # Goroutine profiles are not requested meanwhile.
            self.hangs.pop(_GOROUTINE, None)
