"""What one transaction adds to the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pprof_exporter.store.epoch import Epoch, Stay
from pprof_exporter.store.sketch import Sketch
from pprof_exporter.store.stays import StayKey

if TYPE_CHECKING:
    from pprof_exporter.store.database import Database

SketchKey = tuple[int, str]
"""Epoch id and signal."""


MOST_SKETCHES = 500
"""In one transaction, which takes some hundredths of a second."""


@dataclass(slots=True)
class Batch:
    """Data to write: epochs, additions to the stored sketches, and stays of targets."""

    epochs: list[Epoch] = field(default_factory=list)
    sketches: dict[SketchKey, Sketch] = field(default_factory=dict)
    stored: dict[SketchKey, Sketch] = field(default_factory=dict)
    """What the file had of them when it was last read or written, as far as that is known."""
    stays: dict[StayKey, Stay] = field(default_factory=dict)

    def write(
        self, database: Database, rows: Mapping[int, int], decode: Callable[[bytes], Sketch], *, shared: bool
    ) -> tuple[dict[int, int], dict[SketchKey, Sketch]]:
        """Write all of it within a transaction. Returns the rows of its epochs, and the sketches that are there now.

        `rows` are those of the epochs that have one. `shared`: another exporter writes the file, so that it may have
        more than `stored`. Raises one of `database_errors`.
        """
        written = {epoch.id: database.put_epoch(epoch, rows.get(epoch.id)) for epoch in self.epochs}
        known = {**rows, **written}
        for (service, target), stay in self.stays.items():
            left = None if stay.before is None else known.get(stay.before)
            if stay.epoch in known:
                database.put_stay(service, target, stay, known[stay.epoch], left)
        for epoch in self.epochs:
            before = None if epoch.before is None else known.get(epoch.before)
            database.put_before(written[epoch.id], before)
        sketches = {}
        for key, fresh in self.sketches.items():
            stored = None if shared else self.stored.get(key)
            if stored is None and (data := database.sketch(known[key[0]], key[1])) is not None:
                stored = decode(data)
            sketches[key] = fresh if stored is None else stored.merge(fresh)
        database.put_sketches((known[epoch_id], signal, sketch) for (epoch_id, signal), sketch in sketches.items())
        return written, sketches
