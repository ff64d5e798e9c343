"""F13, F17, and bugs of Go (F1, F6): restarts, foreign modules, and known bugs of the Go version."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RuleGroup, Severity

# Bugs that hang or crash the process, like `hangs` in health/known_bugs. A test compares the two.
_DANGEROUS = "golang/go#80982|golang/go#77975"

GROUP = RuleGroup(
    "pprof-runtime",
    (
        Alert(
            "PprofKnownBug",
            "F1",
            Severity.INFO,
            f'pprof_known_bug_info{{bug!~"{_DANGEROUS}"}} == 1',
            "15m",
            "{{ $labels.target }} runs a Go version with a bug that affects profiles",
            """
            The Go version of {{ $labels.target }} has bug {{ $labels.bug }} (fixed in: {{ $labels.fixed_in }}). Its
            profiles can be wrong or missing until the program is built with a fixed version. The runbook describes the
            effect of each bug.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofKnownBug",
            "F6",
            Severity.WARNING,
            f'pprof_known_bug_info{{bug=~"{_DANGEROUS}"}} == 1',
            "15m",
            "{{ $labels.target }} runs a Go version with a bug that can hang or crash it",
            """
            The Go version of {{ $labels.target }} has bug {{ $labels.bug }} (fixed in: {{ $labels.fixed_in }}). Build
            the program with a fixed version.{{ if eq $labels.bug "golang/go#80982" }} Until then switch mutex profiling
            off: the bug needs it.{{ end }}
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofForeignModule",
            "F17",
            Severity.INFO,
            """
            pprof_foreign_module_info
              unless on (job, instance, target, module) pprof_foreign_module_info offset 1d
              and on (job, instance, target) pprof_target_info offset 1d
            """,
            "5m",
            "New foreign module in the process of {{ $labels.target }}: {{ $labels.module }}",
            """
            {{ $labels.module }} belongs neither to Windows nor to the program, and was not in the process of
            {{ $labels.target }} a day ago. Most such modules are security software. Some make profiling slow or hang
            the program (golang/go 36492, 42528).
            """,
        ),
        Alert(
            "PprofTargetRestarts",
            "F13",
            Severity.WARNING,
            "increase(pprof_restarts_total[1h]) >= <restarts>",
            "0s",
            "{{ $labels.target }} restarts repeatedly",
            """
            {{ $labels.target }} restarted at least {{ $value | printf "%.0f" }} times in the last hour: its start time,
            its build or its counters show a new process each time. Read the end of its log. If it ends while it is
            profiled, stop profiling it.
            """,
            keep_firing_for="30m",
        ),
    ),
)
