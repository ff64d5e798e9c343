"""The one table of profile kinds: how each is asked for, and which series its values become.

A new kind is a new row here. Names, paths and sample types are those of net/http/pprof and runtime/pprof.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pprof_exporter.catalog import Family, content
from pprof_exporter.profile.aggregate import Attribution

NANOSECONDS = 10**9


class Span(Enum):
    """What stretch of time the values of a profile speak of."""

    WINDOW = "window"
    """The seconds that were asked for; the exporter adds them up over windows."""
    SINCE_START = "since_start"
    """All since the process started; a smaller value than before means a restart."""
    NOW = "now"
    """The moment of the fetch."""


@dataclass(frozen=True, slots=True)
class Rise:
    """The family of what grows by function, and by how much in all (base units) it must have grown to be worth it.

    `changes_only`: a profile that equals the one before says nothing about growth.
    """

    family: Family
    at_least: float
    changes_only: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One sample type of a kind, the families it feeds, and how many of its unit make one of their base unit."""

    sample_type: str
    family: Family
    span: Span
    per_unit: int = 1
    by_function: Family | None = None
    rise: Rise | None = None
    """None, or what to watch of `by_function`."""

    @property
    def kept(self) -> bool:
        """Whether the exporter itself keeps the count, so that it holds while the target does not answer."""
        return self.span is Span.WINDOW


@dataclass(frozen=True, slots=True)
class Kind:
    """A profile kind.

    `path` is below /debug/pprof/, `interval` and `window` are default seconds (window 0: none). `profiled` counts the
    seconds that the windows covered. A kind that is `heavy` costs the target more than the request itself, and waits
    while the target has trouble.
    """

    name: str
    path: str
    interval: float
    values: tuple[Value, ...]
    window: float = 0
    heavy: bool = True
    attribution: Attribution = Attribution.LEAF
    profiled: Family | None = None

    def query(self, window: float) -> dict[str, str]:
        """Parameters that ask for a window. Go reads whole seconds, and takes anything else for 30."""
        return {"seconds": str(max(1, round(window)))} if self.window else {}


CPU = Kind(
    name="cpu",
    path="profile",
    interval=60,
    window=5,
    profiled=content.CPU_PROFILED,
    values=(
        Value("samples", content.CPU_SAMPLES, Span.WINDOW),
        Value("cpu", content.CPU_SAMPLED, Span.WINDOW, NANOSECONDS, content.FUNCTION_CPU),
    ),
)
HEAP = Kind(
    name="heap",
    path="heap",
    interval=30,
    values=(
        Value("inuse_objects", content.HEAP_INUSE_OBJECTS, Span.NOW),
        Value(
            "inuse_space",
            content.HEAP_INUSE_BYTES,
            Span.NOW,
            by_function=content.FUNCTION_HEAP,
            # Live heap is that of the last collection.
            rise=Rise(content.HEAP_GROWTH, at_least=2**20, changes_only=True),
        ),
    ),
)
ALLOCS = Kind(
    name="allocs",
    path="allocs",
    interval=60,
    values=(
        Value("alloc_objects", content.ALLOCATED_OBJECTS, Span.SINCE_START),
        Value("alloc_space", content.ALLOCATED_BYTES, Span.SINCE_START, 1, content.FUNCTION_ALLOCATED),
    ),
)
# Goroutines are what a target in trouble is asked for first; since Go 1.19 its world stands still for moments only.
GOROUTINE = Kind(
    name="goroutine",
    path="goroutine",
    interval=30,
    heavy=False,
    attribution=Attribution.ENTRY,
    values=(
        Value(
            "goroutine",
            content.PROFILED_GOROUTINES,
            Span.NOW,
            by_function=content.FUNCTION_GOROUTINES,
            rise=Rise(content.GOROUTINE_GROWTH, at_least=10),
        ),
    ),
)
# Each fetch runs a garbage collection (runtime/pprof.runtime_goroutineleakcount), hence ten minutes.
GOROUTINELEAK = Kind(
    name="goroutineleak",
    path="goroutineleak",
    interval=600,
    attribution=Attribution.ENTRY,
    values=(Value("goroutineleak", content.LEAKED_GOROUTINES, Span.NOW, 1, content.FUNCTION_GOROUTINES),),
)
THREADCREATE = Kind(
    name="threadcreate",
    path="threadcreate",
    interval=60,
    heavy=False,
    values=(Value("threadcreate", content.THREADS_CREATED, Span.SINCE_START),),
)


def _contention(name: str) -> Kind:
    return Kind(
        name=name,
        path=name,
        interval=60,
        attribution=Attribution.CALLER,
        values=(
            Value("contentions", content.CONTENTIONS, Span.SINCE_START),
            Value("delay", content.CONTENTION_SECONDS, Span.SINCE_START, NANOSECONDS, content.FUNCTION_CONTENTION),
        ),
    )


BLOCK = _contention("block")
MUTEX = _contention("mutex")

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (CPU, HEAP, ALLOCS, GOROUTINE, GOROUTINELEAK, BLOCK, MUTEX, THREADCREATE)
}
