"""F10, F12: goroutines and memory that grow over hours and days."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.growth_parts import all_of, any_of, of_one_life, steady
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup

# Lowest values leave out what comes and goes with traffic.
_GOROUTINES = "target:pprof_goroutines:min30m"
_HEAP = "target:pprof_heap_inuse_bytes:min1h"
_HEAP_DAY = "target:pprof_heap_inuse_bytes:min1h_delta1d"

_RISE = f"({_GOROUTINES} - {_GOROUTINES} offset 150m)"
_GOROUTINE_HOURS = all_of(
    f"{_RISE} > <goroutine_growth_least>",
    f"{_GOROUTINES} > <goroutine_growth_factor> * {_GOROUTINES} offset 150m",
    *steady(_GOROUTINES, "30m", "1h", "90m", "2h", "150m"),
    f"({_RISE} > <goroutine_growth_wave> or {_GOROUTINES} offset 1w)",
    f"unless {_GOROUTINES} <= <goroutine_growth_factor> * {_GOROUTINES} offset 1d",
    f"unless {_GOROUTINES} <= <goroutine_growth_factor> * {_GOROUTINES} offset 1w",
    *of_one_life(_GOROUTINES, seen="210m", restarts="210m:10m", age="growth_hours_age"),
)
_HEAP_PARTS = all_of(
    f"{_HEAP_DAY} > <heap_growth_least>",
    f"{_HEAP} > <heap_growth_factor> * {_HEAP} offset 1d",
    # Over a whole day, a daily wave is back where it was.
    *steady(_HEAP, "288m", "576m", "864m", "1152m", "1d"),
    *of_one_life(_HEAP, seen="1530m", restarts="1530m:10m", age="growth_day_age"),
)


def _two_days(value: str, least: str, factor: str) -> str:
    """Growth over each of two days, seen at the same hour: a step makes one of them, a daily wave none."""
    today, before = f"({value} - {value} offset 1d)", f"({value} offset 1d - {value} offset 2d)"
    return all_of(
        f"{today} > {least}",
        f"{value} > {factor} * {value} offset 1d",
        f"{before} > <growth_second_day> * {today}",
        f"{today} > <growth_second_day> * {before}",
        *of_one_life(value, seen="2970m", restarts="2970m:30m", age="growth_two_days_age"),
    )


GROUP = RuleGroup(
    "pprof-growth",
    (
        RecordingRule(_GOROUTINES, "min_over_time(pprof_goroutines[30m])"),
        RecordingRule(_HEAP, "min_over_time(pprof_heap_inuse_bytes[1h])"),
        RecordingRule(_HEAP_DAY, f"{_HEAP} - {_HEAP} offset 1d"),
        Alert(
            "PprofGoroutineGrowth",
            "F10",
            Severity.WARNING,
            any_of(_GOROUTINE_HOURS, _two_days(_GOROUTINES, "<goroutine_growth_least>", "<goroutine_growth_factor>")),
            "30m",
            "Goroutine count of {{ $labels.target }} keeps growing",
            """
            The lowest goroutine count of {{ $labels.target }} in half an hour has risen by
            {{ $value | printf "%.0f" }}: in each of five half hours, or over each of two days.
            pprof_function_goroutine_growth names the functions.
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
            any_of(_HEAP_PARTS, _two_days(_HEAP, "<heap_growth_least>", "<heap_growth_factor>")),
            "1h",
            "Live heap of {{ $labels.target }} has grown for a day",
            """
            The lowest live heap of {{ $labels.target }} in an hour is {{ $value | humanize1024 }}B larger than a day
            ago. It grew in each fifth of the day, or also over the day before.
            pprof_function_heap_growth_bytes names the functions.
            """,
            keep_firing_for="2h",
        ),
        Alert(
            "PprofRestartsAfterGrowth",
            "F12",
            Severity.WARNING,
            "increase(pprof_restarts_after_growth_total[1d]) >= <restarts_after_growth>",
            "0m",
            "{{ $labels.target }} grows until it restarts",
            """
            {{ $value | printf "%.0f" }} processes of {{ $labels.target }} ended within a day after their
            {{ if eq $labels.what "heap" }}live heap{{ else }}goroutine count{{ end }} had grown to the end of their
            life, and the same program started again. Check whether they were killed for their memory.
            """,
            keep_firing_for="1h",
        ),
    ),
)
