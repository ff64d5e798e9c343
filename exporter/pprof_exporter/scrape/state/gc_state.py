"""F11: the CPU time of garbage collection over hours, and how often and how full it finds the heap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pprof_exporter.catalog import content, quality
from pprof_exporter.profile import Kind, MemStats
from pprof_exporter.scrape.state.freshness import drop_older
from pprof_exporter.scrape.state.observation import Observation

# Seconds. As long as the alerts look back.
_CPU_RECENT = 7200.0
_COLLECTIONS_RECENT = 3600.0
# Between two collections the heap grows from what is live to the size at which the next starts. Of this many readings
# at unrelated moments, all are in the upper two fifths of that way once in a thousand times (0.4 ** 8).
_ENOUGH_READINGS = 8


@dataclass(frozen=True, slots=True)
class GcCpu:
    """Samples and seconds of the CPU profiles of the last two hours."""

    samples: float = 0.0
    gc_samples: float = 0.0
    sampled_seconds: float = 0.0
    profiled_seconds: float = 0.0

    def __add__(self, other: GcCpu) -> GcCpu:
        return GcCpu(
            self.samples + other.samples,
            self.gc_samples + other.gc_samples,
            self.sampled_seconds + other.sampled_seconds,
            self.profiled_seconds + other.profiled_seconds,
        )

    @property
    def share(self) -> float | None:
        """Share of the samples that are garbage collection."""
        return self.gc_samples / self.samples if self.samples else None

    @property
    def processors(self) -> float:
        """Processors that garbage collection kept busy."""
        return (self.share or 0.0) * self.sampled_seconds / self.profiled_seconds if self.profiled_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Collections:
    """Garbage collections by the memory statistics of the last hour, or since the start while there is only one."""

    cycles: int
    forced: int | None
    """Those that the program requested; None: the text has no count."""
    least_fill: float | None
    """Lowest seen ratio of the heap to the size at which the next collection starts; None: too few readings."""
    per_hour: float | None = None
    """Collections an hour; None while there is only one reading."""


class GcState:
    """What is known of the garbage collection of one process."""

    def __init__(self) -> None:
        self._cpu: deque[tuple[float, GcCpu]] = deque()
        self._memory: deque[tuple[float, MemStats]] = deque()

    def learn(self, kind: Kind, observation: Observation) -> None:
        """Take in a profile; only that of the CPU says something."""
        if kind.name != "cpu":
            return
        sums = kind.by_family(observation.sums)
        of_gc = next((one.value for one in observation.readings if one.family is quality.CPU_GC), None)
        if of_gc is None:
            return
        found = GcCpu(sums[content.CPU_SAMPLES] or 0.0, of_gc, sums[content.CPU_SAMPLED] or 0.0, observation.profiled)
        self._cpu.append((observation.at, found))
        drop_older(self._cpu, observation.at - _CPU_RECENT)

    def record(self, memstats: MemStats, at: float) -> None:
        """Take in memory statistics that were requested at `at` (Unix time)."""
        self._memory.append((at, memstats))
        drop_older(self._memory, at - _COLLECTIONS_RECENT)

    @property
    def cpu(self) -> GcCpu:
        """The CPU profiles of the last two hours."""
        return sum((one for _, one in self._cpu), GcCpu())

    @property
    def collections(self) -> Collections | None:
        """The collections of the last hour; None without memory statistics."""
        if not self._memory:
            return None
        readings = [one for _, one in self._memory]
        first, last = readings[0], readings[-1]
        hours = (self._memory[-1][0] - self._memory[0][0]) / 3600
        # A reading with no collection since the one before says nothing more about the heap.
        fills = [
            now.heap_alloc / now.next_gc
            for before, now in zip([None, *readings[:-1]], readings, strict=True)
            if now.next_gc and (before is None or now.num_gc > before.num_gc)
        ]
        since_start = len(readings) == 1
        forced = None
        if last.num_forced_gc is not None:
            forced = last.num_forced_gc - (0 if since_start else first.num_forced_gc or 0)
        return Collections(
            cycles=last.num_gc - (0 if since_start else first.num_gc),
            forced=forced,
            least_fill=min(fills) if len(fills) >= _ENOUGH_READINGS else None,
            per_hour=(last.num_gc - first.num_gc) / hours if hours > 0 else None,
        )
