"""The table of profile kinds: how each is fetched, and which series its values become.

A new kind is a new row. Names, paths and sample types are those of net/http/pprof and runtime/pprof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pprof_exporter.catalog import Family, content

NANOSECONDS = 10**9


class Attribution(Enum):
    """The one function of a stack that a sample counts for."""

    LEAF = "leaf"
    """The leaf: CPU, heap."""
    CALLER = "caller"
    """The first function outside the runtime and the sync packages: the one that waited, for contention."""
    ENTRY = "entry"
    """The function that the goroutine was started with."""


class Span(Enum):
    """The time that the values of a profile cover."""

    WINDOW = "window"
    """The requested window; the exporter adds up the values of all windows."""
    SINCE_START = "since_start"
    """The time since the process started; a smaller value than before means a restart."""
    NOW = "now"
    """The moment of the fetch."""


@dataclass(frozen=True, slots=True)
class GrowthRule:
    """The family for growth by function, and the growth in base units from which a function is listed.

    `changes_only`: a profile equal to the one before does not count.
    """

    family: Family
    at_least: float
    changes_only: bool = False


@dataclass(frozen=True, slots=True)
class SampleValue:
    """One sample type of a kind, the families that it feeds, and how many of its units are one base unit of them."""

    sample_type: str
    family: Family
    span: Span
    per_unit: int = 1
    by_function: Family | None = None
    growth_rule: GrowthRule | None = None
    """Watches `by_function` for growth, unless None."""

    @property
    def is_accumulated(self) -> bool:
        """Whether the exporter accumulates the value, so that it stays while the target does not answer."""
        return self.span is Span.WINDOW


@dataclass(frozen=True, slots=True)
class Kind:
    """A profile kind.

    `path` is below /debug/pprof/, `interval` and `window` are default seconds (window 0: none). `profiled` counts the
    seconds that the windows covered. A `heavy` kind costs the target more than the request itself, and is deferred
    while the target has trouble. One that `collects` runs a garbage collection first, so that its latency follows the
    heap and the load of the target.
    """

    name: str
    path: str
    interval: float
    values: tuple[SampleValue, ...]
    window: float = 0
    heavy: bool = True
    collects: bool = False
    attribution: Attribution = Attribution.LEAF
    profiled: Family | None = None

    def by_family(self, sums: Sequence[float | None]) -> dict[Family, float | None]:
        """The sums of a profile, which are in the order of `values`, by the family that each feeds."""
        return dict(zip((value.family for value in self.values), sums, strict=True))

    def query(self, window: float) -> dict[str, str]:
        """Query parameters for a window. Go reads whole seconds, and takes any other value as 30."""
        return {"seconds": str(max(1, round(window)))} if self.window else {}


CPU = Kind(
    name="cpu",
    path="profile",
    interval=60,
    window=5,
    profiled=content.CPU_PROFILED,
    values=(
        SampleValue("samples", content.CPU_SAMPLES, Span.WINDOW),
        SampleValue("cpu", content.CPU_SAMPLED, Span.WINDOW, NANOSECONDS, content.FUNCTION_CPU),
    ),
)
HEAP = Kind(
    name="heap",
    path="heap",
    interval=30,
    values=(
        SampleValue("inuse_objects", content.HEAP_INUSE_OBJECTS, Span.NOW),
        SampleValue(
            "inuse_space",
            content.HEAP_INUSE_BYTES,
            Span.NOW,
            by_function=content.FUNCTION_HEAP,
            # The live heap changes only with a collection.
            growth_rule=GrowthRule(content.HEAP_GROWTH, at_least=2**20, changes_only=True),
        ),
    ),
)
ALLOCS = Kind(
    name="allocs",
    path="allocs",
    interval=60,
    values=(
        SampleValue("alloc_objects", content.ALLOCATED_OBJECTS, Span.SINCE_START),
        SampleValue("alloc_space", content.ALLOCATED_BYTES, Span.SINCE_START, 1, content.FUNCTION_ALLOCATED),
    ),
)
# Not heavy: the goroutine profile is needed most while a target has trouble, and stops the world only briefly since
# Go 1.19.
GOROUTINE = Kind(
    name="goroutine",
    path="goroutine",
    interval=30,
    heavy=False,
    attribution=Attribution.ENTRY,
    values=(
        SampleValue(
            "goroutine",
            content.PROFILED_GOROUTINES,
            Span.NOW,
            by_function=content.FUNCTION_GOROUTINES,
            growth_rule=GrowthRule(content.GOROUTINE_GROWTH, at_least=10),
        ),
    ),
)
# Each fetch runs a garbage collection (runtime/pprof.runtime_goroutineleakcount), hence ten minutes.
GOROUTINELEAK = Kind(
    name="goroutineleak",
    path="goroutineleak",
    interval=600,
    collects=True,
    attribution=Attribution.ENTRY,
    values=(SampleValue("goroutineleak", content.LEAKED_GOROUTINES, Span.NOW, 1, content.FUNCTION_GOROUTINES),),
)
THREADCREATE = Kind(
    name="threadcreate",
    path="threadcreate",
    interval=60,
    heavy=False,
    values=(SampleValue("threadcreate", content.THREADS_CREATED, Span.SINCE_START),),
)


def _contention(name: str) -> Kind:
    return Kind(
        name=name,
        path=name,
        interval=60,
        attribution=Attribution.CALLER,
        values=(
            SampleValue("contentions", content.CONTENTIONS, Span.SINCE_START),
            SampleValue(
                "delay", content.CONTENTION_SECONDS, Span.SINCE_START, NANOSECONDS, content.FUNCTION_CONTENTION
            ),
        ),
    )


BLOCK = _contention("block")
MUTEX = _contention("mutex")

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (CPU, HEAP, ALLOCS, GOROUTINE, GOROUTINELEAK, BLOCK, MUTEX, THREADCREATE)
}
