"""F5, F6, F7: slow pprof endpoints, and services that stall while they are profiled."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.guards import overloaded
from pprof_exporter.rules.model import TARGET, Alert, RecordingRule, RuleGroup, recorded_lately

_MEAN = "target_profile:pprof_fetch_duration_seconds:mean30m"
_USUAL = "target_profile:pprof_fetch_duration_seconds:median7d"
COLLECTING = "goroutineleak"
"""The profile of which each fetch runs a garbage collection, so that its latency follows the heap and the load."""
_COMPARED = f'{_MEAN}{{profile!="{COLLECTING}"}}'
# Shorter than the `for` of the alert: one slow fetch of many raises the mean of half an hour for half an hour.
_RECENT = """(
                rate(pprof_fetch_duration_seconds_sum[10m]) / (rate(pprof_fetch_duration_seconds_count[10m]) > 0)
              )"""
# What delays a cheap request as much is the host, the network, or the whole program.
_CHEAP = """sum by (job, instance, target) (
                rate(pprof_canary_duration_seconds_sum{during="rest"}[30m])
                  / (rate(pprof_canary_duration_seconds_count{during="rest"}[30m]) > 0)
              )"""
_CANARY = "target_during:pprof_canary_duration_seconds:mean1h"
_RESTING = f'sum without (during) ({_CANARY}{{during="rest"}})'
_PROFILED = f'sum without (during) ({_CANARY}{{during="profile"}})'
_WORK = (
    "{{ if eq $labels.cause `modules` }}listing modules{{ else if eq $labels.cause `heap` }}walking heap records"
    "{{ else }}collecting goroutine stacks{{ end }}"
)


def _difference(cause: str, limit: str) -> str:
    return f'avg_over_time(pprof_latency_difference_seconds{{cause="{cause}"}}[30m]) > <{limit}>'


HISTORY_GROUP = RuleGroup(
    "pprof-history",
    (
        # One value an hour is enough for the median of a week, and hundreds of times cheaper than all values.
        RecordingRule(_USUAL, f"quantile_over_time(0.5, {_MEAN}[7d:1h] offset 1h)"),
    ),
    interval="30m",
)

GROUP = RuleGroup(
    "pprof-latency",
    (
        RecordingRule(
            _MEAN,
            """
            rate(pprof_fetch_duration_seconds_sum[30m])
              / (rate(pprof_fetch_duration_seconds_count[30m]) > 0)
            """,
        ),
        RecordingRule(
            _CANARY,
            """
            increase(pprof_canary_duration_seconds_sum[1h])
              / (increase(pprof_canary_duration_seconds_count[1h]) >= <canaries>)
            """,
        ),
        Alert(
            "PprofFetchSlow",
            "F5",
            Severity.WARNING,
            f"""
            (
              ({_COMPARED} > <fetch_slow> and {_MEAN} > <fetch_slow_factor> * {recorded_lately(_USUAL)})
                or {_MEAN} > <fetch_very_slow>
            )
              unless {_RECENT} <= <fetch_slow>
              unless {_MEAN} <= {TARGET} group_left () <fetch_slow_factor> * {_CHEAP}
              unless {overloaded("30m")}
            """,
            "15m",
            "Fetches of {{ $labels.profile }} from {{ $labels.target }} are slow",
            """
            A fetch of {{ $labels.profile }} from {{ $labels.target }} took {{ $value | humanizeDuration }} on average
            in the last half hour, not counting the requested window. That is more than <fetch_slow_factor> times its
            median of the last seven days, or more than <fetch_very_slow> s.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofProfileCostly",
            "F5",
            Severity.WARNING,
            f"""
            (
              {_difference("modules", "latency_difference")}
                or {_difference("heap", "latency_difference_large")}
                  and {TARGET} pprof_profile_samples{{profile="heap"}} >= <heap_many_records>
                or {_difference("goroutines", "latency_difference_large")}
                  and {TARGET} pprof_profiled_goroutines >= <goroutine_many_stacks>
            )
              unless {overloaded("30m")}
            """,
            "15m",
            f"Profiles of {{{{ $labels.target }}}} are slow: {_WORK}",
            """
            {{ if eq $labels.cause `modules` }}Listing modules{{ else if eq $labels.cause `heap` }}Walking heap
            records{{ else }}Collecting goroutine stacks{{ end }} takes {{ $value | humanizeDuration }} of each
            {{ if eq $labels.cause `heap` }}heap {{ else if eq $labels.cause `goroutines` }}goroutine {{ end }}profile
            of {{ $labels.target }}, averaged over half an hour.{{ if eq $labels.cause `modules` }} On Windows, Go looks
            up every loaded library on disk for each profile, and virus scanners can delay that.{{ end }}
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofCanarySlow",
            "F7",
            Severity.WARNING,
            f"""
            rate(pprof_canary_duration_seconds_sum{{during="rest"}}[15m])
              / (rate(pprof_canary_duration_seconds_count{{during="rest"}}[15m]) > 0) > <canary_slow>
              unless {overloaded("15m")}
            """,
            "15m",
            "{{ $labels.target }} answers slowly even while not profiled",
            """
            A cheap request to {{ $labels.target }} took {{ $value | humanizeDuration }} on average in the last quarter
            of an hour while no profile ran. Profiling is not the cause: check the service, its host and the network.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfilingPerturbs",
            "F6",
            Severity.WARNING,
            f"""
            ({_PROFILED} > <perturbation_factor> * {_RESTING})
              and {_PROFILED} - {_RESTING} > <perturbation_least>
              unless {overloaded("1h")}
            """,
            "15m",
            "{{ $labels.target }} is slow while it is profiled",
            """
            A cheap request to {{ $labels.target }} took {{ $value | humanizeDuration }} on average in the last hour
            while a CPU profile ran, more than <perturbation_factor> times as long as without one. Profile the target
            less often until the cause is known.
            """,
            keep_firing_for="1h",
        ),
    ),
)
