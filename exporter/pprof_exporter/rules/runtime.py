"""F13, F17, and bugs of Go (F1, F6): restarts, foreign modules, and known bugs of the Go version."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import TARGET, Alert, RuleGroup

# The bugs of health/known_bugs by the failure mode that each causes; a test compares the two.
_BUGS = {
    "F1": ("golang/go#35057", "golang/go#61665"),
    "F3": ("golang/go#44343",),
    "F6": ("golang/go#33250", "golang/go#77975", "golang/go#80982"),
    "F8": ("golang/go#43296",),
    "F15": ("golang/go#62358",),
}


def _has_bug(mode: str, bugs: tuple[str, ...]) -> Alert:
    return Alert(
        "PprofKnownBug",
        mode,
        Severity.INFO,
        f'pprof_known_bug_info{{bug=~"{"|".join(bugs)}"}} == 1',
        "15m",
        "{{ $labels.target }} runs a Go version with a known bug that affects profiling",
        """
        The Go version of {{ $labels.target }} has bug {{ $labels.bug }} (fixed in: {{ $labels.fixed_in }}). An effect
        on {{ $labels.target }} has its own alert. The runbook describes the effect of each bug.
        """,
        keep_firing_for="30m",
    )


def _lately(bug: str) -> str:
    # A process that hangs or ends does not show its version, so the bug is that of the last hour.
    return f'max_over_time(pprof_known_bug_info{{bug="{bug}"}}[1h])'


GROUP = RuleGroup(
    "pprof-runtime",
    (
        *(_has_bug(mode, bugs) for mode, bugs in _BUGS.items()),
        Alert(
            "PprofKnownBug",
            "F6",
            Severity.WARNING,
            f"""
            (
              {_lately("golang/go#80982")} and {TARGET} min_over_time(pprof_wedged[3m]) == 1
                or {_lately("golang/go#77975")} and {TARGET} increase(pprof_restarts_total[1h]) >= <restarts>
            )
            """,
            "2m",
            "{{ $labels.target }} {{ if eq $labels.bug `golang/go#80982` }}hangs{{ else }}restarts repeatedly{{ end }}"
            ", and its Go version has a bug that causes it",
            """
            The Go version of {{ $labels.target }} has bug {{ $labels.bug }} (fixed in: {{ $labels.fixed_in }}). Build
            the program with a fixed version.{{ if eq $labels.bug `golang/go#80982` }} Until then switch mutex profiling
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
