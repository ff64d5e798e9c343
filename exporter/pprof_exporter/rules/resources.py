"""F6, F10 and F18: what the program waits for: CPU time beyond its limit, threads in system calls, and locks."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import TARGET, TARGET_LABELS, Alert, RecordingRule, RuleGroup

_WAITING = "target:pprof_lock_contention_seconds:rate10m"
_THROTTLED = "target:pprof_cgroup_cpu_throttled_periods:ratio_increase30m"
_LIMIT = (
    "{{ with printf `pprof_cgroup_cpu_limit_processors{job=%q, instance=%q, target=%q}` "
    f'{TARGET_LABELS} | query }}}} of {{{{ . | first | value | printf "%.3g" }}}} processors{{{{ end }}}}'
)
_CALLERS = (
    '{{ range $i, $one := printf `topk(3, delta(pprof_function_contention_seconds{profile="mutex", '
    'function!="other", job=%q, instance=%q, target=%q}[30m]) > 0)` '
    f"{TARGET_LABELS} | query }}}}{{{{ if $i }}}}, {{{{ else }}}} Most of it is in {{{{ end }}}}"
    "{{ $one.Labels.function }}{{ end }}"
)
_IN_SYSTEM_CALLS = (
    '{{ with printf `pprof_goroutines_by_state{state="syscall", job=%q, instance=%q, target=%q}` '
    f'{TARGET_LABELS} | query }}}} {{{{ . | first | value | printf "%.0f" }}}} goroutines are in system calls or calls'
    " of C, each of which holds a thread.{{ end }}"
)

GROUP = RuleGroup(
    "pprof-resources",
    (
        RecordingRule(_WAITING, 'sum without (profile) (rate(pprof_contention_seconds_total{profile="mutex"}[10m]))'),
        RecordingRule(
            _THROTTLED,
            """
            increase(pprof_cgroup_cpu_throttled_periods_total[30m])
              / (increase(pprof_cgroup_cpu_periods_total[30m]) >= <throttled_enough_periods>)
            """,
        ),
        # The lowest of half an hour, since one long wait counts as many if the profile records only some waits.
        Alert(
            "PprofLockContention",
            "F18",
            Severity.WARNING,
            f"""
            min_over_time({_WAITING}[30m]) > <lock_contention>
              unless {TARGET} {_WAITING} <= <lock_contention_factor> * (
                increase(pprof_cpu_sampled_seconds_total[30m]) / increase(pprof_cpu_profiled_seconds_total[30m])
              )
            """,
            "15m",
            "Goroutines of {{ $labels.target }} wait for locks",
            f"""
            For half an hour at least {{{{ $value | printf "%.3g" }}}} goroutines of {{{{ $labels.target }}}} have
            waited for a lock at any time, more than were computing.{_CALLERS}
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofThreadsHigh",
            "F10",
            Severity.WARNING,
            f"""
            pprof_threads_created_total > <threads>
              unless {TARGET} pprof_threads_created_total <= <threads_per_processor> * pprof_processors
              and {TARGET} (
                sum without (state) (pprof_goroutines_by_state{{state="syscall"}}) > <threads_in_use>
                  or {TARGET} increase(pprof_threads_created_total[1h]) > <threads_in_use>
              )
              unless {TARGET} pprof_threads_created_total > <threads_severe>
            """,
            "15m",
            "{{ $labels.target }} has many threads",
            f"""
            {{{{ $labels.target }}}} has {{{{ $value | printf "%.0f" }}}} threads of the operating
            system.{_IN_SYSTEM_CALLS} Go ends a program that needs 10,000.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofThreadsHigh",
            "F10",
            Severity.CRITICAL,
            "pprof_threads_created_total > <threads_severe>",
            "5m",
            "{{ $labels.target }} is close to Go's limit of 10,000 threads",
            f"""
            {{{{ $labels.target }}}} has {{{{ $value | printf "%.0f" }}}} threads of the operating
            system.{_IN_SYSTEM_CALLS} Go ends a program that needs 10,000, and hardly ever gives one back.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofCpuThrottled",
            "F6",
            Severity.WARNING,
            f"""
            {_THROTTLED} > <throttled>
              and {TARGET}
                increase(pprof_cgroup_cpu_throttled_periods_total[10m])
                  > <throttled> * increase(pprof_cgroup_cpu_periods_total[10m])
            """,
            "15m",
            "The CPU limit of {{ $labels.target }} stops it again and again",
            f"""
            In {{{{ $value | humanizePercentage }}}} of the periods of the last half hour {{{{ $labels.target }}}} used
            up its CPU limit{_LIMIT} and stood still until the next period. Requests and profiles take up to a period
            longer, usually 100 ms.
            """,
            keep_firing_for="30m",
        ),
    ),
)
