"""Who created the goroutines, and for how long they wait: goroutine?debug=2, which stops the world to be written."""

from __future__ import annotations

from pprof_exporter.profile import Dump, creators, longest_wait
from pprof_exporter.scrape.leaders import Leaders
from pprof_exporter.scrape.tally import Tally


class StacksState:
    """What the latest text says."""

    def __init__(self, functions: int) -> None:
        self.tally = Tally()
        self.at: float | None = None
        self.creators: dict[str, float] = {}
        self.longest_wait: dict[str, float] = {}
        self._ranking = Leaders(functions)

    def record(self, dump: Dump, at: float) -> None:
        """Take in a text that was asked for at `at` (Unix time)."""
        self.at = at
        self.creators = self._ranking.update({name: float(count) for name, count in creators(dump).items()})
        self.longest_wait = longest_wait(dump)
