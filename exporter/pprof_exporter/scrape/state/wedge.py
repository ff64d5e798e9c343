"""A target that accepts connections and never answers.

The system accepts connections for a process that no longer runs; and a Go program in which the world cannot be stopped
(golang/go 80982, 80665, 36492) still serves the index page, but not a goroutine profile.
"""

from __future__ import annotations

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, STACKS

_GOROUTINE = "goroutine"
# What else stops the world: heap?debug=1 (runtime.ReadMemStats), goroutine?debug=2 (runtime.Stack), and the leak
# profile (runtime.GC). One that comes proves that the world can be stopped, whatever the goroutine profile does.
_OTHERS = (MEMSTATS, STACKS, "goroutineleak")
STOP_THE_WORLD = frozenset({_GOROUTINE, *_OTHERS})
"""What is fetched that stops the world."""


class Wedge:
    """Whether the index page and the goroutine profile hang. An unknown state is left out."""

    def __init__(self) -> None:
        self.hangs: dict[str, bool] = {}
        self._alone = False
        """Whether the goroutine profile hangs although the world can be stopped."""

    def begin_process(self) -> None:
        """Forget what the process before could still do."""
        self._alone = False

    def record(self, name: str, reason: Reason | None) -> None:
        """Record how a fetch ended: `reason` is None for success. Other names are ignored."""
        if name in _OTHERS and reason is None and self.hangs.get(_GOROUTINE):
            # Until the goroutine profile comes, or this does not come either, it alone hangs.
            self.hangs[_GOROUTINE], self._alone = False, True
        elif name in _OTHERS and reason is Reason.TIMEOUT_HEADER:
            self._alone = False
        if name not in (INDEX, _GOROUTINE):
            return
        if reason is not None and reason.group is ReasonGroup.UNREACHABLE:
            self.hangs.pop(name, None)
        else:
            hangs = reason is Reason.TIMEOUT_HEADER
            if name == _GOROUTINE and not hangs:
                self._alone = False
            self.hangs[name] = hangs and not (name == _GOROUTINE and self._alone)
        if name == INDEX and self.hangs.get(INDEX) is not False:
            # Goroutine profiles are not requested meanwhile.
            self.hangs.pop(_GOROUTINE, None)
