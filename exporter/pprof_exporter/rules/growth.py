"""F10, F12: goroutines and memory that grow without end."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup, Severity

# The minimum over an hour leaves out what comes and goes with traffic.
_GOROUTINES = "target:pprof_goroutines:min1h"
_HEAP = "target:pprof_heap_inuse_bytes:min1h"
_HEAP_DAY = "target:pprof_heap_inuse_bytes:min1h_delta1d"
# Growth is that of one process: the hour that it is held against must not be that of an earlier one, or the start of
# this one. Steps of ten minutes lose no restart, since the counter keeps its value. A restart while no exporter ran is
# counted by none; the allocation total shows it.

GROUP = RuleGroup(
    "pprof-growth",
    (
        RecordingRule(_GOROUTINES, "min_over_time(pprof_goroutines[1h])"),
        RecordingRule(_HEAP, "min_over_time(pprof_heap_inuse_bytes[1h])"),
        RecordingRule(_HEAP_DAY, f"{_HEAP} - {_HEAP} offset 1d"),
        Alert(
            "PprofGoroutineGrowth",
            "F10",
            Severity.WARNING,
            f"""
            {_GOROUTINES} - {_GOROUTINES} offset 6h > <goroutine_growth_least>
              and {_GOROUTINES} > <goroutine_growth_factor> * {_GOROUTINES} offset 6h
              and deriv(pprof_goroutines[1h]) > 0
              unless on (job, instance, target) increase(pprof_restarts_total[7h:10m]) > 0
            """,
            "30m",
            "Goroutine count of {{ $labels.target }} keeps growing",
            """
            The lowest goroutine count of {{ $labels.target }} in the last hour is {{ $value | printf "%.0f" }} higher
            than six hours ago, and the count still rises. pprof_function_goroutine_growth names the functions.
            """,
            keep_firing_for="1h",
        ),
        Alert(
            "PprofGoroutinesLeaked",
            "F10",
            Severity.WARNING,
            "pprof_leaked_goroutines > 0",
            "15m",
            "{{ $labels.target }} has leaked goroutines",
            """
            {{ $value | printf "%.0f" }} goroutines of {{ $labels.target }} can never run again: the garbage collector
            proved that no live code can reach what they wait for. Their stacks are in the goroutineleak profile.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofHeapGrowth",
            "F12",
            Severity.WARNING,
            f"""
            {_HEAP_DAY} > <heap_growth_least>
              and {_HEAP} > <heap_growth_factor> * {_HEAP} offset 1d
              and {_HEAP} - {_HEAP} offset 12h > <heap_growth_half> * {_HEAP_DAY}
              and {_HEAP} offset 12h - {_HEAP} offset 1d > <heap_growth_half> * {_HEAP_DAY}
              unless on (job, instance, target) increase(pprof_restarts_total[25h:10m]) > 0
              unless on (job, instance, target) resets(pprof_allocated_bytes_total[25h:10m]) > 0
            """,
            "1h",
            "Live heap of {{ $labels.target }} has grown for a day",
            """
            The lowest live heap of {{ $labels.target }} in the last hour is {{ $value | humanize1024 }}B larger than a
            day ago, and it grew in both halves of the day.
            pprof_function_heap_growth_bytes names the functions.
            """,
            keep_firing_for="2h",
        ),
    ),
)
