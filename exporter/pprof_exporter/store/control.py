"""The control group: how latencies change on targets that are not upgraded.

If the host, the network or the exporter becomes slower, latencies rise on all targets. What an upgrade did is the
change of a target beyond that of the others at the same time (a difference in differences, here of ratios).

Every target has a baseline for each latency: the median of its first values. What it shows later is counted relative to
that, over all targets together, in slots of time. An upgrade ends a slot, so that the time before and after it is never
in the same one. A target that is upgraded begins with a new baseline. In memory only: after a restart of the exporter
there is no control for earlier upgrades.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from statistics import median

from pprof_exporter.store.sketch import Sketch

MIN_TARGETS = 3
"""With fewer targets, the change of the control group is chance."""
_MIN_VALUES = 10
_BASELINE_VALUES = 10
# Smaller latencies, or differences of two, are noise.
_SMALLEST = 1e-4
_SLOT = 600.0
# Upgrades within this time of each other share a slot.
_SHORTEST_SLOT = 5.0
_HORIZON = 86_400.0
_MOST_SLOTS = 400
# More targets do not change the median, and cost memory and time.
_MOST_TARGETS = 100
_ABSENT = 3600.0

_LATENCIES = ("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:")


@dataclass(slots=True)
class _Baseline:
    """One latency of one target. Times are Unix seconds."""

    seen: float
    first: list[float] = field(default_factory=list)
    value: float | None = None
    """The median of the first values; None until there are enough."""
    since: float = 0.0
    """When `value` was known."""


@dataclass(slots=True)
class _Slot:
    start: float
    sketches: dict[str, Sketch] = field(default_factory=dict)


def is_latency(signal: str) -> bool:
    """Whether a signal is a latency, which follows the host, the network and the exporter."""
    return signal.startswith(_LATENCIES)


class ControlGroup:
    """Latencies of all targets of one exporter, each relative to its own baseline. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: list[_Slot] = []
        self._baselines: dict[str, dict[str, _Baseline]] = {}

    def observe(self, target: str, signal: str, value: float, now: float) -> None:
        """Count one value of a signal; only latencies are counted."""
        if not is_latency(signal):
            return
        with self._lock:
            baselines = self._baselines.get(target)
            if baselines is None:
                if len(self._baselines) >= _MOST_TARGETS and not self._forget_absent(now):
                    return
                baselines = self._baselines[target] = {}
            baseline = baselines.setdefault(signal, _Baseline(now))
            baseline.seen = now
            if baseline.value is None:
                baseline.first.append(value)
                if len(baseline.first) >= _BASELINE_VALUES:
                    baseline.value, baseline.since = median(baseline.first), now
                    baseline.first.clear()
            elif baseline.value > _SMALLEST:
                self._slot(now).sketches.setdefault(signal, Sketch()).add(value / baseline.value)

    def upgraded(self, target: str, at: float) -> None:
        """A target has a new process since `at`: it is no control for that time, and the slot ends."""
        with self._lock:
            self._baselines.pop(target, None)
            if not self._slots or at - self._slots[-1].start > _SHORTEST_SLOT:
                self._slots.append(_Slot(at))

    def change_since(self, signal: str, since: float) -> float | None:
        """Median of the relative latencies since then, divided by that before; None with too few targets or values."""
        with self._lock:
            known = [baselines[signal] for baselines in self._baselines.values() if signal in baselines]
            if sum(one.value is not None and one.since <= since <= one.seen for one in known) < MIN_TARGETS:
                return None
            before, after = Sketch(), Sketch()
            for slot, following in zip(self._slots, [*self._slots[1:], None], strict=True):
                found = slot.sketches.get(signal)
                if found is None:
                    continue
                if slot.start >= since - _SHORTEST_SLOT:
                    after = after.merge(found)
                elif following is not None and following.start <= since + _SHORTEST_SLOT:
                    before = before.merge(found)
        if min(before.count, after.count) < _MIN_VALUES:
            return None
        return after.quantile(0.5) / before.quantile(0.5)

    def _slot(self, now: float) -> _Slot:
        slots = self._slots
        # After the clock was set back, values go to the latest slot.
        if not slots or now - slots[-1].start > _SLOT:
            slots.append(_Slot(now))
        while now - slots[0].start > _HORIZON + _SLOT:
            del slots[0]
        if len(slots) > _MOST_SLOTS:
            first, second = slots[0], slots[1]
            for signal, sketch in second.sketches.items():
                first.sketches[signal] = first.sketches[signal].merge(sketch) if signal in first.sketches else sketch
            del slots[1]
        return slots[-1]

    def _forget_absent(self, now: float) -> bool:
        absent = [
            target
            for target, baselines in self._baselines.items()
            if all(now - one.seen > _ABSENT for one in baselines.values())
        ]
        for target in absent:
            del self._baselines[target]
        return bool(absent)
