"""Where evidence is read and captures are asked for: what its pages work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pprof_exporter.evidence import Kept, Ring
from pprof_exporter.web.access import Access
from pprof_exporter.workbench.captures import Answer
from pprof_exporter.workbench.summons import Summons


@dataclass(frozen=True, slots=True)
class Desk:
    """`ring` and `ask` are None if nothing is kept."""

    access: Access
    ring: Ring | None = None
    ask: Callable[[Summons], Answer] | None = None

    def kept_of(self, target: str) -> list[Kept]:
        """What is kept of a target, the newest first."""
        return self.ring.kept(target) if self.ring is not None else []

    def find(self, id_: str) -> Kept | None:
        """The finding with this id, if it is kept."""
        return self.ring.find(id_) if self.ring is not None else None
