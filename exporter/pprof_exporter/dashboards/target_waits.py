"""The row of the dashboard of one target that shows what the program waits for."""

from __future__ import annotations

from pprof_exporter.dashboards.model import Colour, Query, Row, bad_above
from pprof_exporter.dashboards.panels import lines
from pprof_exporter.dashboards.variables import CHOSEN

_RATE = "$__rate_interval"

WAITS = Row(
    "What does it wait for?",
    (
        lines(
            "Goroutines that wait for locks",
            "Mean number of goroutines that wait for a lock, by the mutex profile. Zero also while the program "
            "does not record it.",
            Query(f'sum(rate(pprof_contention_seconds_total{{profile="mutex",{CHOSEN}}}[{_RATE}]))', "waiting"),
            limits=bad_above("lock_contention"),
            width=6,
        ),
        lines(
            "Locks by function",
            "The functions that kept most goroutines waiting for a lock since the target started.",
            Query(
                f'topk(5, sum by (function) (pprof_function_contention_seconds{{profile="mutex",{CHOSEN}}}))'
                " or vector(0)",
                "{{function}}",
            ),
            unit="s",
            width=6,
        ),
        lines(
            "Threads",
            "Threads of the operating system, goroutines in system calls or calls of C, each of which holds "
            "one, and processors. Threads far above processors: something slow blocks them.",
            Query(f"sum(pprof_threads_created_total{{{CHOSEN}}})", "threads", colour=Colour.NOW),
            Query(
                f'sum(pprof_goroutines_by_state{{state="syscall",{CHOSEN}}})',
                "in system calls",
                colour=Colour.WARNING,
            ),
            Query(f"sum(pprof_processors{{{CHOSEN}}}) or vector(0)", "processors", colour=Colour.BEFORE),
            limits=bad_above("threads", "threads_severe"),
            width=6,
        ),
        lines(
            "Stopped by its CPU limit",
            "Share of the periods in which the limit of its cgroup stopped the target. Zero also where no "
            "limit is known: only those of this machine are.",
            Query(
                f"sum(rate(pprof_cgroup_cpu_throttled_periods_total{{{CHOSEN}}}[{_RATE}]))"
                f" / (sum(rate(pprof_cgroup_cpu_periods_total{{{CHOSEN}}}[{_RATE}])) > 0) or vector(0)",
                "stopped",
            ),
            unit="percentunit",
            limits=bad_above("throttled"),
            width=6,
        ),
    ),
)
