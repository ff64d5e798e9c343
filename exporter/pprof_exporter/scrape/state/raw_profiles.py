"""The latest raw profiles in memory, within a bound, so that a finding is saved with the profiles that show it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pprof_exporter.evidence_store import RawProfile


@dataclass(slots=True)
class _Slot:
    """The newest profile of one kind of one target, and the newest one without a finding."""

    latest: RawProfile
    good: RawProfile | None = None

    @property
    def size(self) -> int:
        """The bytes of both."""
        return len(self.latest.data) + (len(self.good.data) if self.good and self.good is not self.latest else 0)


class RawProfiles:
    """At most `max_bytes` of profiles of these kinds; the least recently replaced are dropped first."""

    def __init__(self, max_bytes: int, kinds: Collection[str]) -> None:
        self._max_bytes = max_bytes
        self._kinds = frozenset(kinds)
        self._slots: OrderedDict[tuple[str, str], _Slot] = OrderedDict()
        self.bytes = 0
        """The bytes held now."""

    def add(self, target: str, kind: str, asked_at: float, data: bytes) -> None:
        """Add a profile that could be decoded."""
        if kind not in self._kinds:
            return
        body = RawProfile(kind, asked_at, data)
        slot = self._slots.pop((target, kind), None)
        if slot is None:
            slot = _Slot(body)
        else:
            self.bytes -= slot.size
            slot.latest = body
        self._slots[target, kind] = slot
        self.bytes += slot.size
        while self.bytes > self._max_bytes:
            _, oldest = self._slots.popitem(last=False)
            self.bytes -= oldest.size

    def mark_good(self, target: str, kinds: Iterable[str]) -> None:
        """Mark the newest of these kinds as good: there is no finding in them."""
        for kind in kinds:
            slot = self._slots.get((target, kind))
            if slot is not None:
                self.bytes -= slot.size
                slot.good = slot.latest
                self.bytes += slot.size

    def latest(self, target: str, kinds: Iterable[str]) -> list[RawProfile]:
        """The newest profiles of these kinds, as far as there are any."""
        slots = (self._slots.get((target, kind)) for kind in kinds)
        return [slot.latest for slot in slots if slot is not None]

    def good(self, target: str, kinds: Iterable[str]) -> list[RawProfile]:
        """The last good profiles of these kinds, if older than the newest."""
        slots = (self._slots.get((target, kind)) for kind in kinds)
        return [
            slot.good for slot in slots if slot is not None and slot.good is not None and slot.good is not slot.latest
        ]

    def retain(self, targets: Collection[str]) -> None:
        """Drop the profiles of all other targets."""
        for target, kind in [key for key in self._slots if key[0] not in targets]:
            self.bytes -= self._slots.pop((target, kind)).size
