"""F11: the cost of garbage collection, and of the profilers of the runtime themselves."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import TARGET, TARGET_LABELS, Alert, RecordingRule, RuleGroup

_HALF_HOUR = "target:pprof_cpu_gc_samples:ratio_increase30m"
_TWO_HOURS = "target:pprof_cpu_gc_samples:ratio_increase2h"
_PROCESSORS = "target:pprof_gc_processors:rate2h"
_FILL = "target:pprof_heap_fill:ratio"
_COSTS = (
    f"{TARGET} ({_PROCESSORS} > <gc_processors>"
    f" or {TARGET} {_PROCESSORS} > <gc_limit_share> * pprof_cgroup_cpu_limit_processors)"
    f" unless {TARGET} increase(pprof_gc_cycles_total[1h]) <= <gc_cycles_at_rest>"
)
# Memory statistics come every five minutes, those of a metrics page with each CPU profile: steps of five minutes are
# one reading each.
_FULL = (
    f"min_over_time({_FILL}[1h:5m]) > <gc_heap_fill> and {TARGET} count_over_time({_FILL}[1h:5m]) >= <gc_heap_readings>"
)
# Where a metrics page has the number of collections, that of requested ones can be up to 25 minutes older, and seem to
# exceed it after these have ended.
_FORCED = "clamp_max(increase(pprof_gc_forced_cycles_total[1h]) / increase(pprof_gc_cycles_total[1h]), 1) > <gc_forced>"


def _of_target(expr: str) -> str:
    """An expression as a query of a template; `@` stands for the matchers of the target."""
    matchers = "{job=%q, instance=%q, target=%q}"
    count = expr.count("@")
    return f"printf `{expr.replace('@', matchers)}` {' '.join([TARGET_LABELS] * count)} | query"


_REQUESTED = (
    f"{{{{ with {_of_target(_FORCED.replace('_total', '_total@'))} }}}} The program itself requests"
    " {{ . | first | value | humanizePercentage }} of its collections (runtime.GC, debug.FreeOSMemory).{{ end }}"
)
_CLOSE = (
    f"{{{{ with {_of_target(f'min_over_time({_FILL}@[1h:5m]) > <gc_heap_fill>')} }}}} The heap is never below"
    " {{ . | first | value | humanizePercentage }} of the size at which the next collection starts: GOGC is low, or"
    " GOMEMLIMIT is close.{{ end }}"
)
_GOGC = (
    f"{{{{ with {_of_target('pprof_gogc_ratio@')} }}}}"
    " GOGC is {{ . | first | value | humanizePercentage }}.{{ end }}"
)

GROUP = RuleGroup(
    "pprof-memory",
    (
        RecordingRule(
            _HALF_HOUR,
            """
            increase(pprof_cpu_gc_samples_total[30m])
              / (increase(pprof_cpu_samples_total[30m]) >= <cpu_enough_samples>)
            """,
        ),
        RecordingRule(
            _TWO_HOURS,
            """
            increase(pprof_cpu_gc_samples_total[2h])
              / (increase(pprof_cpu_samples_total[2h]) >= <gc_enough_samples>)
            """,
        ),
        RecordingRule(
            _PROCESSORS,
            f"""
            {_TWO_HOURS}
              * increase(pprof_cpu_sampled_seconds_total[2h]) / increase(pprof_cpu_profiled_seconds_total[2h])
            """,
        ),
        RecordingRule(_FILL, "pprof_heap_size_bytes / pprof_next_gc_bytes"),
        # Much of a busy half hour; or of two hours of a small program, if it is much of its limit or adds up; or less,
        # if a setting of the program is the cause.
        Alert(
            "PprofGcPressure",
            "F11",
            Severity.WARNING,
            f"""
            {_HALF_HOUR} > <gc_samples>
              and {TARGET}
                increase(pprof_cpu_sampled_seconds_total[30m])
                  > <gc_busy> * increase(pprof_cpu_profiled_seconds_total[30m])
              or {_TWO_HOURS} > <gc_samples>
                and {_COSTS}
              or {_TWO_HOURS} > <gc_samples_avoidable>
                and {TARGET} ({_FORCED} or {TARGET} {_FULL} or {TARGET} pprof_gogc_ratio < <gogc_low>)
                and {_COSTS}
            """,
            "15m",
            "{{ $labels.target }} spends much of its CPU time on garbage collection",
            f"""
            {{{{ $value | humanizePercentage }}}} of the recent CPU samples of {{{{ $labels.target }}}} are garbage
            collection.{_REQUESTED}{_CLOSE}{_GOGC} To see what allocates, run go tool pprof -sample_index=alloc_space on
            its allocs profile.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofProfilerMemoryHigh",
            "F11",
            Severity.WARNING,
            "pprof_profiler_memory_bytes > <profiler_memory>",
            "30m",
            "The profilers inside {{ $labels.target }} use much memory",
            """
            The heap, block and mutex profilers of {{ $labels.target }} hold {{ $value | humanize1024 }}B of records,
            one for each stack. Since Go 1.23 a record has up to 128 frames (golang/go 69590). Restart the service with
            GODEBUG=profstackdepth=32 to limit them to 32 frames, as in Go 1.22.
            """,
            keep_firing_for="30m",
        ),
    ),
)
