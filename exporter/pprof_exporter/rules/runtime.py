"""F17, and bugs of Go (F1, F6): what is in the process, and what is known to go wrong with it."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RuleGroup, Severity

# Those that hang or crash the process, as `hangs` of health/known_bugs has it. A test compares the two.
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
            "{{ $labels.target }} runs a Go with a bug that spoils profiling",
            """
            The Go of {{ $labels.target }} has {{ $labels.bug }}, fixed in {{ $labels.fixed_in }}. Its profiles are to
            be read with that in mind until the program is built with a newer one; the runbook says what it does.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofKnownBug",
            "F6",
            Severity.WARNING,
            f'pprof_known_bug_info{{bug=~"{_DANGEROUS}"}} == 1',
            "15m",
            "{{ $labels.target }} runs a Go with a bug that can hang or crash it",
            """
            The Go of {{ $labels.target }} has {{ $labels.bug }}, fixed in {{ $labels.fixed_in }}: build the program
            with that or a newer one.{{ if eq $labels.bug "golang/go#80982" }} Until then switch mutex profiling off,
            without which it does not happen.{{ end }}
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
