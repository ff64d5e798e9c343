"""F17 and bugs of Go: what is in the process, and what is known to go wrong with it."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, Group, Severity

# Those that stop or end the process.
_DANGEROUS = "golang/go#80982|golang/go#77975"

GROUP = Group(
    "pprof-runtime",
    (
        Alert(
            "PprofKnownBug",
            "F1",
            Severity.INFO,
            f'pprof_known_bug_info{{bug!~"{_DANGEROUS}"}} == 1',
            "15m",
            "{{ $labels.target }} runs a Go with a bug that spoils profiling",
            """
            {{ $labels.target }} has {{ $labels.bug }}, fixed in {{ $labels.fixed_in }}.
            """,
        ),
        Alert(
            "PprofKnownBug",
            "F1",
            Severity.WARNING,
            f'pprof_known_bug_info{{bug=~"{_DANGEROUS}"}} == 1',
            "15m",
            "{{ $labels.target }} runs a Go with a bug that can stop or end it",
            """
            {{ $labels.target }} has {{ $labels.bug }}, fixed in {{ $labels.fixed_in }}: upgrade Go. Until then, 80982
            is kept away by mutex profiling being off.
            """,
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
            "{{ $labels.module }} is new in the process of {{ $labels.target }}",
            """
            {{ $labels.module }}, which belongs neither to Windows nor to the program, was not in the process of {{
            $labels.target }} a day ago. Most such modules are security software; some make profiling slow, or hang the
            program (golang/go 36492, 42528).
            """,
        ),
        Alert(
            "PprofTargetRestarts",
            "F13",
            Severity.WARNING,
            "resets(pprof_allocated_bytes_total[1h]) >= <restarts>",
            "0s",
            "{{ $labels.target }} starts again and again",
            """
            {{ $labels.target }} started anew at least {{ $value | printf "%.0f" }} times within an hour. If it does so
            while it is profiled, stop profiling it and look at its last words.
            """,
            keep_firing_for="30m",
        ),
    ),
)
