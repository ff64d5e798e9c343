"""F11: the CPU time of garbage collection over hours, and how often and how full it finds the heap."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pprof_exporter.catalog import content, quality
from pprof_exporter.profile import Kind, MemStats
from pprof_exporter.profile.memstats import HeapFigures
from pprof_exporter.scrape.state.freshness import drop_older
from pprof_exporter.scrape.state.observation import Observation

# Seconds. As long as the alerts look back.
_CPU_RECENT = 7200.0
_COLLECTIONS_RECENT = 3600.0
# Seconds. Readings by a metrics page, which comes with each CPU profile, are held as far apart as memory statistics are
# by default: readings close to each other say the same, and a rate needs time.
_APART = 240.0
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
    """Of the time for which `forced` is known, if it is."""
    forced: int | None
    """Those that the program requested; None: no text has a count."""
    least_fill: float | None
    """Lowest seen ratio of the heap to the size at which the next collection starts; None: too few readings."""
    per_hour: float | None = None
    """Collections an hour; None while there is only one reading."""


@dataclass(frozen=True, slots=True)
class _HeapReading:
    """One moment. Not the whole memory statistics, whose rings of pauses take 20 KB."""

    cycles: int
    forced: int | None
    fill: float | None
    """The heap by the size at which the next collection starts."""
    of_page: bool


class GcState:
    """What is known of the garbage collection of one process."""

    def __init__(self) -> None:
        self._cpu: deque[tuple[float, GcCpu]] = deque()
        self._memory: deque[tuple[float, _HeapReading]] = deque()

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
        if self._memory and self._memory[-1][1].of_page and at - self._memory[-1][0] < _APART:
            self._memory.pop()
        self._add(memstats.figures, memstats.num_forced_gc, at, of_page=False)

    def record_page(self, figures: HeapFigures, at: float) -> None:
        """Take in what a metrics page that was requested at `at` (Unix time) says of them."""
        if not self._memory or at - self._memory[-1][0] >= _APART:
            self._add(figures, None, at, of_page=True)

    def _add(self, figures: HeapFigures, forced: int | None, at: float, *, of_page: bool) -> None:
        fill = figures.heap_alloc / figures.next_gc if figures.next_gc else None
        self._memory.append((at, _HeapReading(figures.num_gc, forced, fill, of_page)))
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
        hours = (self._memory[-1][0] - self._memory[0][0]) / 3600
        # A reading with no collection since the one before says nothing more about the heap.
        fills = [
            now.fill
            for before, now in zip([None, *readings[:-1]], readings, strict=True)
            if now.fill is not None and (before is None or now.cycles > before.cycles)
        ]
        counted = [one for one in readings if one.forced is not None]
        cycles, forced = _passed(counted or readings)
        return Collections(
            cycles=cycles,
            forced=forced,
            least_fill=min(fills) if len(fills) >= _ENOUGH_READINGS else None,
            per_hour=(readings[-1].cycles - readings[0].cycles) / hours if hours > 0 else None,
        )


def _passed(readings: Sequence[_HeapReading]) -> tuple[int, int | None]:
    """Collections from the first to the last reading, and those of them that were requested.

    Since the start with one reading.
    """
    first, last = readings[0], readings[-1]
    if len(readings) == 1:
        return last.cycles, last.forced
    return last.cycles - first.cycles, None if last.forced is None else last.forced - (first.forced or 0)
