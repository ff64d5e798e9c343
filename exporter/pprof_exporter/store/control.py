"""The control group: how latencies and load change on targets that are not upgraded.

If the host, the network or the exporter becomes slower, latencies rise on all targets; with more traffic, what they use
does. What an upgrade did is the change of a target beyond that of the others at the same time (a difference in
differences, here of ratios).

Time is divided into slots, the same ones for all targets. For each signal of a target, every slot has the median of
its values. An upgrade ends a slot, so that the time before and after it is never in the same one, and the target that
was upgraded loses what it had: a target is control for an upgrade only if it ran on, with values before and after.
In memory only: after a restart of the exporter there is no control for earlier upgrades.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from pprof_exporter.averages import median_of
from pprof_exporter.catalog.regressions import LEVELS, is_load_dependent
from pprof_exporter.store.ages import plain_signal

MIN_TARGETS = 3
"""With fewer targets, the change of the control group is chance."""
# Before an upgrade, a target with fewer values has no median to rely on.
_MIN_BEFORE = 5
# After it, the targets have this many in all: a verdict must not wait longer for its control than for itself.
_MIN_AFTER = 10
# In seconds, or processors. Smaller latencies, or differences of two, are noise.
_SMALLEST = 1e-4
_LARGEST = 1e18
_SLOT = 600.0
# Upgrades within this time of each other share a slot.
_SHORTEST_SLOT = 5.0
_HORIZON = 86_400.0
# With so many slots, as when a large fleet is upgraded one by one, upgrades end no more of them.
_MANY_SLOTS = 300
# Values of one slot that are kept for its median, the latest.
_MOST_VALUES = 64
# More targets do not change the median, and cost memory and time.
_MOST_TARGETS = 100
_MOST_COMPARED = 30
_ABSENT = 3600.0
# A clock that is set back by more begins anew. By less, values go to the latest slot, as those do that were held back
# until the identity of their process was known.
_SET_BACK = 6 * 3600.0
# Targets that were upgraded at once ask for the same figures at once.
_CACHED = 30.0

_LATENCIES = ("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:")


def is_latency(signal: str) -> bool:
    """Whether a signal is a latency, which follows the host, the network and the exporter."""
    return signal.startswith(_LATENCIES)


def is_controlled(signal: str) -> bool:
    """Whether the control group has a signal: latencies, and what follows the load."""
    return is_latency(signal) or is_load_dependent(signal)


@dataclass(slots=True)
class _Series:
    """One signal of one target, by number of slot. The latest slot is in `values`."""

    slots: array[int] = field(default_factory=lambda: array("i"))
    medians: array[float] = field(default_factory=lambda: array("f"))
    counts: array[int] = field(default_factory=lambda: array("i"))
    slot: int = 0
    values: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_VALUES))
    count: int = 0

    def add(self, slot: int, value: float) -> None:
        if self.values and self.slot != slot:
            self._end()
        self.slot = slot
        self.values.append(value)
        self.count += 1

    def forget(self, slot: int) -> None:
        """Remove slots before this one."""
        old = bisect_left(self.slots, slot)
        if old:
            for column in (self.slots, self.medians, self.counts):
                del column[:old]

    def below(self, slot: int) -> list[tuple[float, int]]:
        """The median and number of values of each slot below this one."""
        end = bisect_left(self.slots, slot)
        latest = [(median_of(self.values), self.count)] if self.values and self.slot < slot else []
        return [*zip(self.medians[:end], self.counts[:end], strict=True), *latest]

    def since(self, slot: int) -> list[tuple[float, int]]:
        """The same of each slot from this one on."""
        start = bisect_left(self.slots, slot)
        latest = [(median_of(self.values), self.count)] if self.values and self.slot >= slot else []
        return [*zip(self.medians[start:], self.counts[start:], strict=True), *latest]

    def _end(self) -> None:
        self.slots.append(self.slot)
        self.medians.append(median_of(self.values))
        self.counts.append(self.count)
        self.values.clear()
        self.count = 0


class ControlGroup:
    """Latencies and load of all targets of one exporter. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = 0.0
        self._starts: deque[float] = deque()
        """When each slot began."""
        self._first = 0
        """Number of the first slot; numbers are consecutive."""
        self._series: dict[str, dict[str, _Series]] = {}
        self._seen: dict[str, float] = {}
        self._full_until = 0.0
        """Until then no target of a full group is absent."""
        self._cache: dict[tuple[str, int, int], tuple[float, float | None]] = {}

    def observe(self, target: str, signal: str, value: float, now: float) -> None:
        """Count one value of a signal; only controlled ones, and only possible values, are counted."""
        signal = plain_signal(signal) if signal.startswith(LEVELS) else signal
        if not is_controlled(signal) or not -_LARGEST <= value <= _LARGEST:
            return
        with self._lock:
            slot = self._slot(now)
            series = self._series.get(target)
            if series is None:
                if len(self._series) >= _MOST_TARGETS and not self._forget_absent(now):
                    return
                series = self._series[target] = {}
            self._seen[target] = now
            series.setdefault(signal, _Series()).add(slot, value)

    def upgraded(self, target: str, at: float) -> None:
        """A target has a new process, or another module, since `at`: it is no control then, and the slot ends."""
        with self._lock:
            self._series.pop(target, None)
            self._seen.pop(target, None)
            self._cache.clear()
            self._slot(at)
            if at - self._starts[-1] > _SHORTEST_SLOT and len(self._starts) < _MANY_SLOTS:
                self._open(at)

    def changes_since(self, signals: Iterable[str], since: float) -> dict[str, float]:
        """`change_since` of each signal for which it is known."""
        found = {signal: self.change_since(signal, since) for signal in signals}
        return {signal: change for signal, change in found.items() if change is not None}

    def change_since(self, signal: str, since: float) -> float | None:
        """The change of a signal since then, as a factor: the median over the targets of after divided by before.

        None with fewer than `MIN_TARGETS` targets that have values of both times.
        """
        with self._lock:
            after = self._first + sum(start < since - _SHORTEST_SLOT for start in self._starts)
            # A slot in which the time lies, without ending there, is neither.
            ends = list(self._starts)[1:]
            before = self._first + sum(end <= since + _SHORTEST_SLOT for end in ends)
            key = signal, before, after
            at, change = self._cache.get(key, (-_CACHED, None))
            if not 0 <= self._latest - at < _CACHED:
                change = self._change(signal, before, after)
                self._cache[key] = self._latest, change
            return change

    def _change(self, signal: str, before: int, after: int) -> float | None:
        """The change from the slots below `before` to those from `after` on."""
        ratios: list[float] = []
        values = 0
        for of_target in self._series.values():
            series = of_target.get(signal)
            if series is None:
                continue
            series.forget(self._first)
            old, new = series.below(before), series.since(after)
            if sum(count for _, count in old) < _MIN_BEFORE or not new:
                continue
            base = _weighted_median(old)
            if base > _SMALLEST:
                ratios.append(max(_weighted_median(new), _SMALLEST) / base)
                values += sum(count for _, count in new)
            if len(ratios) >= _MOST_COMPARED:
                break
        return median_of(ratios) if len(ratios) >= MIN_TARGETS and values >= _MIN_AFTER else None

    def _slot(self, now: float) -> int:
        """The number of the slot of this time, which is the latest one."""
        if now < self._latest - _SET_BACK:
            self._starts.clear()
            self._series.clear()
            self._seen.clear()
            self._cache.clear()
            self._latest = now
        self._latest = max(self._latest, now)
        if not self._starts or now - self._starts[-1] > _SLOT:
            self._open(now)
        return self._first + len(self._starts) - 1

    def _open(self, at: float) -> None:
        self._starts.append(at)
        self._cache.clear()
        while at - self._starts[0] > _HORIZON + _SLOT:
            self._starts.popleft()
            self._first += 1

    def _forget_absent(self, now: float) -> bool:
        if self._full_until - _ABSENT <= now <= self._full_until:
            return False
        absent = [target for target in self._series if now - self._seen[target] > _ABSENT]
        for target in absent:
            del self._series[target], self._seen[target]
        self._full_until = min(self._seen.values(), default=now) + _ABSENT
        return bool(absent)


def _weighted_median(medians: list[tuple[float, int]]) -> float:
    """The median of medians, each as often as it has values."""
    medians.sort()
    rest = sum(count for _, count in medians) / 2
    for value, count in medians:
        rest -= count
        if rest <= 0:
            return value
    raise ValueError("there is no median without values")
