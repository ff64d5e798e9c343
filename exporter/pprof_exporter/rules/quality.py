"""F8, F9: profiles with addresses instead of function names, or with cut stacks."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup

# In a CPU profile with a handful of samples any share is chance; the other profiles count objects that exist.
_ENOUGH = "on (job, instance, target) increase(pprof_cpu_samples_total[30m]) >= <cpu_enough_samples>"

GROUP = RuleGroup(
    "pprof-quality",
    (
        RecordingRule(
            "target_profile:pprof_unsymbolized:ratio_median30m",
            f"""
            quantile_over_time(0.5, pprof_unsymbolized_ratio{{profile!="cpu"}}[30m])
              or quantile_over_time(0.5, pprof_unsymbolized_ratio{{profile="cpu"}}[30m]) and {_ENOUGH}
            """,
        ),
        RecordingRule(
            "target_profile:pprof_truncated_stack:ratio_median30m",
            f"""
            quantile_over_time(0.5, pprof_truncated_stack_ratio{{profile!="cpu"}}[30m])
              or quantile_over_time(0.5, pprof_truncated_stack_ratio{{profile="cpu"}}[30m]) and {_ENOUGH}
            """,
        ),
        Alert(
            "PprofSymbolsMissing",
            "F8",
            Severity.WARNING,
            "target_profile:pprof_unsymbolized:ratio_median30m > <unsymbolized>",
            "15m",
            "{{ $labels.profile }} profile of {{ $labels.target }} has stacks without function names",
            """
            {{ $value | humanizePercentage }} of the {{ $labels.profile }} profile of {{ $labels.target }} (median of
            half an hour) is in stacks with an address that has no function name. Go always names its own code: check
            for C code (cgo) or for a proxy or agent that rewrites profiles.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofSymbolsMissing",
            "F8",
            Severity.CRITICAL,
            "target_profile:pprof_unsymbolized:ratio_median30m > <unsymbolized_severe>",
            "15m",
            "Much of the {{ $labels.profile }} profile of {{ $labels.target }} has no function names",
            """
            {{ $value | humanizePercentage }} of the {{ $labels.profile }} profile of {{ $labels.target }} (median of
            half an hour) is in stacks with an address that has no function name. Do not draw conclusions from the
            remaining functions.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofStacksTruncated",
            "F9",
            Severity.INFO,
            "target_profile:pprof_truncated_stack:ratio_median30m > <stacks_truncated>",
            "15m",
            "Stacks in the {{ $labels.profile }} profile of {{ $labels.target }} are truncated",
            """
            {{ $value | humanizePercentage }} of the {{ $labels.profile }} profile of {{ $labels.target }} (median of
            half an hour) is in stacks at the depth limit of Go. Their outer frames are missing, so flame graphs show
            them in the wrong place. Check for deep recursion; heap, block, mutex and goroutine stacks go deeper since
            Go 1.23.
            """,
            keep_firing_for="30m",
        ),
    ),
)
