"""F10, F12: goroutines and memory that grow so fast that hours are too late."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.growth_parts import all_of, any_of, of_one_life, steady
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup

# Means rise with every value that is higher, although a garbage collection may bring a new one only every two minutes.
_GOROUTINES = "target:pprof_goroutines:avg2m"
_HEAP = "target:pprof_heap_inuse_bytes:avg2m"
_LIMIT = "target:pprof_memory_limit_bytes:min"
_TWO_MINUTES = ("2m", "4m", "6m", "8m", "10m")

_MORE = f"({_GOROUTINES} - {_GOROUTINES} offset 10m)"
_LARGER = f"({_HEAP} - {_HEAP} offset 10m)"
_HEAP_IN_AN_HOUR = f"{_HEAP} + <growth_fast_spans> * {_LARGER}"
_STEADY_HEAP = (
    *steady(_HEAP, *_TWO_MINUTES),
    *of_one_life(_HEAP, seen="20m", restarts="20m", age="growth_fast_age"),
)
_OF_LIMIT = all_of(f"{_LARGER} > <heap_fast_share> * {_LIMIT}", f"{_HEAP_IN_AN_HOUR} > <heap_full> * {_LIMIT}")
_WITHOUT_LIMIT = all_of(
    f"{_LARGER} > <heap_fast_least>",
    f"<growth_fast_spans> * {_LARGER} > <growth_fast_factor> * {_HEAP}",
    f"unless {_LIMIT}",
)

GROUP = RuleGroup(
    "pprof-growth-fast",
    (
        RecordingRule(_GOROUTINES, "avg_over_time(pprof_goroutines[2m])"),
        RecordingRule(_HEAP, "avg_over_time(pprof_heap_inuse_bytes[2m])"),
        RecordingRule(_LIMIT, "min without (source) (pprof_memory_limit_bytes)"),
        Alert(
            "PprofGoroutinesGrowFast",
            "F10",
            Severity.WARNING,
            all_of(
                f"{_MORE} > <goroutine_fast_least>",
                f"{_GOROUTINES} + <growth_fast_spans> * {_MORE} > <goroutines_many>",
                f"<growth_fast_spans> * {_MORE} > <growth_fast_factor> * {_GOROUTINES}",
                *steady(_GOROUTINES, *_TWO_MINUTES),
                *of_one_life(_GOROUTINES, seen="20m", restarts="20m", age="growth_fast_age"),
            ),
            "2m",
            "Goroutine count of {{ $labels.target }} grows fast",
            """
            {{ $labels.target }} has {{ $value | printf "%.0f" }} more goroutines than ten minutes ago, with more in
            every two minutes. At this rate it has more than <goroutines_many> within an hour.
            pprof_function_goroutine_growth names the functions.
            """,
            keep_firing_for="10m",
        ),
        Alert(
            "PprofHeapGrowsFast",
            "F12",
            Severity.WARNING,
            all_of(
                f"{_LARGER} > 0",
                f"(\n{any_of(_OF_LIMIT, _WITHOUT_LIMIT)}\n)",
                *_STEADY_HEAP,
            ),
            "1m",
            "Live heap of {{ $labels.target }} grows fast",
            """
            The live heap of {{ $labels.target }} is {{ $value | humanize1024 }}B larger than ten minutes ago, and grew
            in every two minutes.
            {{ with printf `target:pprof_memory_limit_bytes:min{job=%q, instance=%q, target=%q}` $labels.job
            $labels.instance $labels.target | query }}At this rate it is half of the memory limit of
            {{ . | first | value | humanize1024 }}B or more within an hour.{{ end }}
            pprof_function_heap_growth_bytes names the functions.
            """,
            keep_firing_for="10m",
        ),
        Alert(
            "PprofHeapGrowsFast",
            "F12",
            Severity.CRITICAL,
            all_of(
                f"{_HEAP_IN_AN_HOUR} > {_LIMIT}",
                f"{_HEAP} > <heap_full> * {_LIMIT}",
                f"{_LARGER} > <heap_fast_share> * {_LIMIT}",
                *_STEADY_HEAP,
            ),
            "1m",
            "Memory of {{ $labels.target }} is full within an hour",
            """
            The live heap of {{ $labels.target }} is more than half of its memory limit, and grew in every two minutes
            of the last ten. At this rate it is {{ $value | humanize1024 }}B in an hour, which is more than the limit.
            pprof_function_heap_growth_bytes names the functions.
            """,
            keep_firing_for="10m",
        ),
    ),
)
