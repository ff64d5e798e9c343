"""Which profiles show a failure mode, and from which level on they are worth keeping."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.scrape.names import TRACE
from pprof_exporter.verdicts import BAD, Level


@dataclass(frozen=True, slots=True)
class Worth:
    """What to keep of a failure mode that is at `least` so bad.

    `shown`: the newest profiles show it; otherwise they are the last ones of before. `after_change`: it tells of a
    change, so that profiles of after the change are to be there first.
    """

    kinds: tuple[str, ...]
    least: Level = Level.WARNING
    shown: bool = True
    after_change: bool = False

    def worth(self, level: Level) -> bool:
        """Whether a verdict of this level is bad enough."""
        return level in BAD and BAD.index(level) <= BAD.index(self.least)


_ALL = ("cpu", "heap", "goroutine")

# No profile shows F14, F15 and F19, which are about fetches, nor F18, whose profiles are empty.
WORTH: dict[str, Worth] = {
    "F1": Worth(("cpu",)),
    "F2": Worth(("cpu",)),
    "F3": Worth(("cpu", TRACE)),
    "F4": Worth(("cpu", "heap")),
    "F5": Worth(_ALL),
    "F6": Worth(("cpu", "goroutine")),
    "F7": Worth(_ALL),
    "F8": Worth(_ALL),
    "F9": Worth(_ALL),
    "F10": Worth(("goroutine", "goroutineleak"), Level.INFO),
    "F11": Worth(("cpu", "heap")),
    "F12": Worth(("heap",), Level.INFO),
    "F13": Worth(_ALL, shown=False),
    "F16": Worth(_ALL, Level.INFO, after_change=True),
    "F17": Worth(("cpu",), Level.INFO),
    "F20": Worth(_ALL, after_change=True),
}

KEPT: frozenset[str] = frozenset(kind for worth in WORTH.values() for kind in worth.kinds)
"""Kinds of profiles that some failure mode is shown by."""
