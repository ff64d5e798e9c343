"""Signals of epochs that nobody uses any more: encoded, they take a tenth of the memory.

No input or output here, and no lock: `Store` has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pprof_exporter.store.record import SignalRecord
from pprof_exporter.store.sketch import Sketch

_Encoded = tuple[bytes | None, bytes | None]


UNUSED_ROUNDS = 10
"""Rounds after which an epoch that was not used is to be packed. The pool makes one each half minute."""


class PackedRecords:
    """The signals of epochs, by id: what the file has of them, and what it does not have yet."""

    def __init__(self) -> None:
        self._epochs: dict[int, dict[str, _Encoded]] = {}
        self._used: dict[int, int] = {}
        """The round in which each epoch was last used."""
        self._round = 0

    def __contains__(self, epoch_id: int) -> bool:
        return epoch_id in self._epochs

    def __len__(self) -> int:
        return len(self._epochs)

    @property
    def ids(self) -> list[int]:
        """The packed epochs."""
        return list(self._epochs)

    def note_use(self, epoch_id: int) -> None:
        """Record that an epoch was observed or compared in this round."""
        self._used[epoch_id] = self._round

    def unused(self, epoch_ids: Iterable[int]) -> list[int]:
        """Begin a new round. Returns those of these epochs that were not used for `UNUSED_ROUNDS`."""
        self._round += 1
        return [own for own in epoch_ids if self._round - self._used.get(own, 0) > UNUSED_ROUNDS]

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
        self._used.pop(epoch_id, None)

    def size(self, epoch_id: int) -> int:
        """The encoded size of the records of an epoch, in bytes."""
        return sum(len(data) for pair in self._epochs.get(epoch_id, {}).values() for data in pair if data is not None)


def _encoded(sketch: Sketch | None) -> bytes | None:
    return None if sketch is None else sketch.encode()


def _decoded(data: bytes | None) -> Sketch | None:
    return None if data is None else Sketch.decode(data)
