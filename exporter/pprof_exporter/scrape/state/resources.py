"""F20: what a process uses, as signals that can be compared between epochs.

Every rate is of one process: the difference of two totals since its start. Nothing here depends on how often the target
is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator

from pprof_exporter.catalog import content, quality
from pprof_exporter.catalog.regressions import (
    ALLOCATION,
    CONTENTION,
    GC_SHARE,
    GOROUTINE_COUNT,
    HEAP_IN_USE,
    SAMPLED_PROCESSORS,
    THREADS,
    USED_PROCESSORS,
)
from pprof_exporter.profile import Kind
from pprof_exporter.scrape.state.cpu_time import CpuUse
from pprof_exporter.scrape.state.observation import Observation

# Of fewer samples, a share has a standard deviation above 5 percentage points.
_GC_SAMPLES = 100
# The allocation profile shows what was allocated up to a garbage collection (runtime/mprof.go), of which there is one
# every two minutes at least (runtime/proc.go forcegcperiod). After this time, no rise means no allocation.
_STILL = 300.0


class ResourceState:
    """The totals of the current process when a rate was last computed."""

    def __init__(self) -> None:
        self.used: CpuUse | None = None
        """The CPU time that the process used during the CPU profile that comes next."""
        self._allocated: tuple[float, float] | None = None
        self._delay: tuple[float, float] | None = None
        self._samples = self._gc_samples = 0.0

    def begin_process(self) -> None:
        """Forget the totals of the process before, but not the CPU time of the profile that showed the new one."""
        self._allocated = self._delay = None
        self._samples = self._gc_samples = 0.0

    def learn(self, kind: Kind, found: Observation, *, contention: bool | None) -> Iterator[tuple[str, float]]:
        """The values that a profile of the current process gives. `contention`: whether mutex profiling is on."""
        sums = kind.by_family(found.sums)
        match kind.name:
            case "cpu":
                yield from self._cpu(found, sums.get(content.CPU_SAMPLED), sums.get(content.CPU_SAMPLES))
            case "heap":
                yield from _known(HEAP_IN_USE, sums.get(content.HEAP_INUSE_BYTES))
            case "goroutine":
                yield from _known(GOROUTINE_COUNT, sums.get(content.PROFILED_GOROUTINES))
            case "threadcreate":
                yield from _known(THREADS, sums.get(content.THREADS_CREATED))
            case "allocs":
                yield from _known(ALLOCATION, self._allocation(sums.get(content.ALLOCATED_BYTES), found.at))
            case "mutex":
                yield from _known(
                    CONTENTION, self._contention(sums.get(content.CONTENTION_SECONDS) if contention else None, found.at)
                )

    def _cpu(self, found: Observation, sampled: float | None, samples: float | None) -> Iterator[tuple[str, float]]:
        used, self.used = self.used, None
        if used is not None:
            # The use is that of the window, which Go takes in whole seconds; up to Go 1.25 a profile ends later.
            yield USED_PROCESSORS, used.seconds / max(1, round(found.profiled))
        if sampled is not None and found.profiled:
            yield SAMPLED_PROCESSORS, sampled / found.profiled
        self._samples += samples or 0.0
        self._gc_samples += sum(one.value or 0.0 for one in found.readings if one.family is quality.CPU_GC)
        if self._samples >= _GC_SAMPLES:
            yield GC_SHARE, self._gc_samples / self._samples
            self._samples = self._gc_samples = 0.0

    def _allocation(self, total: float | None, at: float) -> float | None:
        """Bytes per second since the total rose before; None if it has not risen for a short time only."""
        if total is None:
            return None
        before = self._allocated
        if before is not None and (at <= before[0] or (total <= before[1] and at - before[0] < _STILL)):
            return None
        self._allocated = (at, total)
        return None if before is None else max(0.0, total - before[1]) / (at - before[0])

    def _contention(self, delay: float | None, at: float) -> float | None:
        before, self._delay = self._delay, None if delay is None else (at, delay)
        if delay is None or before is None or at <= before[0]:
            return None
        return max(0.0, delay - before[1]) / (at - before[0])


def _known(signal: str, value: float | None) -> Iterator[tuple[str, float]]:
    if value is not None:
        yield signal, value
