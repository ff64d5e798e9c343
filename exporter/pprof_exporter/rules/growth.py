"""F10, F12, F18: goroutines and memory that grow without end, and contention that nobody records."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, Record, RuleGroup, Severity

# The floor of an hour leaves out what comes and goes with traffic.
_GOROUTINES = "target:pprof_goroutines:min1h"
_HEAP = "target:pprof_heap_inuse_bytes:min1h"
_HEAP_DAY = "target:pprof_heap_inuse_bytes:min1h_delta1d"

GROUP = RuleGroup(
    "pprof-growth",
    (
        Record(_GOROUTINES, "min_over_time(pprof_goroutines[1h])"),
        Record(_HEAP, "min_over_time(pprof_heap_inuse_bytes[1h])"),
        Record(_HEAP_DAY, f"{_HEAP} - {_HEAP} offset 1d"),
        Alert(
            "PprofGoroutineGrowth",
            "F10",
            Severity.WARNING,
            f"""
            {_GOROUTINES} - {_GOROUTINES} offset 6h > <goroutine_growth_least>
              and {_GOROUTINES} > <goroutine_growth_factor> * {_GOROUTINES} offset 6h
              and deriv(pprof_goroutines[1h]) > 0
            """,
            "30m",
            "Goroutines of {{ $labels.target }} grow and do not end",
            """
            Even at its quietest within the last hour {{ $labels.target }} had {{ $value | printf "%.0f" }} goroutines
            more than six hours ago, and they still grow. pprof_function_goroutine_growth names the functions.
            """,
            keep_firing_for="1h",
        ),
        Alert(
            "PprofGoroutinesLeaked",
            "F10",
            Severity.WARNING,
            "pprof_leaked_goroutines > 0",
            "15m",
            "{{ $labels.target }} has goroutines that can never run again",
            """
            The garbage collector of {{ $labels.target }} proved that {{ $value | printf "%.0f" }} goroutines wait for
            what nothing can reach any more. Their stacks are in the goroutineleak profile.
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
              unless on (job, instance, target) resets(pprof_allocated_bytes_total[1d:10m]) > 0
            """,
            "1h",
            "The heap of {{ $labels.target }} has grown for a day",
            """
            Even at its smallest within the last hour the live heap of {{ $labels.target }} was
            {{ $value | humanize1024 }}B larger than a day ago, and it grew in both halves of the day.
            pprof_function_heap_growth_bytes names the functions.
            """,
            keep_firing_for="2h",
        ),
        Alert(
            "PprofContentionProfileOff",
            "F18",
            Severity.INFO,
            "pprof_contention_profiling_enabled == 0",
            "1h",
            "{{ $labels.target }} records no {{ $labels.profile }} profile",
            """
            The {{ $labels.profile }} profile of {{ $labels.target }} is empty since its recording is off, which is the
            default of Go: this is a hint, contention would not be seen.
            {{ if eq $labels.profile "mutex" }}runtime.SetMutexProfileFraction switches it on; on Windows, Go 1.22 and
            later can deadlock with it before 1.27.2 (golang/go 80982).
            {{- else }}Go does not state this rate: it is concluded from goroutines that wait without a record.
            runtime.SetBlockProfileRate switches it on.{{ end }}
            """,
            keep_firing_for="30m",
        ),
    ),
)
