"""Signals of epochs in which no target is any more: encoded, they take a tenth of the memory.

No input or output here, and no lock: `Store` has both.
"""

from __future__ import annotations

from collections.abc import Mapping

from pprof_exporter.store.record import SignalRecord
from pprof_exporter.store.sketch import Sketch

_Encoded = tuple[bytes | None, bytes | None]


class PackedRecords:
    """The signals of epochs, by id: what the file has of them, and what it does not have yet."""

    def __init__(self) -> None:
        self._epochs: dict[int, dict[str, _Encoded]] = {}

    def __contains__(self, epoch_id: int) -> bool:
        return epoch_id in self._epochs

    def __len__(self) -> int:
        return len(self._epochs)

    @property
    def ids(self) -> list[int]:
        """The packed epochs."""
        return list(self._epochs)

    def put(self, epoch_id: int, records: Mapping[str, SignalRecord]) -> None:
        """Pack the records of an epoch, of which nothing is being written."""
        self._epochs[epoch_id] = {
            signal: (_encoded(record.stored), _encoded(record.fresh)) for signal, record in records.items()
        }

    def take(self, epoch_id: int) -> dict[str, SignalRecord]:
        """Unpack the records of an epoch; empty if it is not packed."""
        return {
            signal: SignalRecord(stored=_decoded(stored), fresh=_decoded(fresh))
            for signal, (stored, fresh) in self._epochs.pop(epoch_id, {}).items()
        }

    def drop(self, epoch_id: int) -> None:
        """Forget the records of an epoch."""
        self._epochs.pop(epoch_id, None)

    def size(self, epoch_id: int) -> int:
        """The encoded size of the records of an epoch, in bytes."""
        return sum(len(data) for pair in self._epochs.get(epoch_id, {}).values() for data in pair if data is not None)


def _encoded(sketch: Sketch | None) -> bytes | None:
    return None if sketch is None else sketch.encode()


def _decoded(data: bytes | None) -> Sketch | None:
    return None if data is None else Sketch.decode(data)
