"""F1, F2, F3: CPU samples that are missing, lost, opaque, or taken at uneven intervals."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup, recorded_lately

_RATE = "avg_over_time(pprof_cpu_effective_rate_hertz[30m])"
_SIXTY_FOUR = (
    f"({_RATE} >= <cpu_timer_lowest> and {_RATE} <= <cpu_timer_highest>)"
    '\n  and on (job, instance, target) pprof_target_info{system="windows"}'
)
_NONE = "increase(pprof_cpu_samples_total[30m]) == 0"
_WITH_ENOUGH_SAMPLES = "increase(pprof_cpu_samples_total[30m]) >= <cpu_enough_samples>"
_OR = "or on (job, instance, target)"
_AND = "and on (job, instance, target)"

_COVERAGE = "target:pprof_cpu_coverage:ratio_increase30m"
_USED = "target:pprof_cpu_used_seconds:mean30m"
_USUAL_COVERAGE = "target:pprof_cpu_coverage:median7d"
_USUALLY_USED = "target:pprof_cpu_used_seconds:median7d"
_LENGTH = "target:pprof_cpu_profile_seconds:mean30m"
_WINDOWS = 'pprof_target_info{system="windows"}'


def _at_least(name: str) -> str:
    """Targets under such a load at least: by CPU time per profile and, if profiles are longer, by its share too."""
    return (
        f"{_AND} ({_USED} >= <cpu_used_{name}>"
        f" unless on (job, instance, target) {_USED} < <cpu_{name}_processors> * {_LENGTH})"
    )


def _usual(record: str, of: str) -> RecordingRule:
    """The median of a week, once there are enough values: one an hour, as is cheap."""
    return RecordingRule(
        record,
        f"""
        quantile_over_time(0.5, {of}[7d:1h] offset 1h)
          and count_over_time({of}[7d:1h] offset 1h) >= <cpu_coverage_history>
        """,
    )


USUAL_GROUP = RuleGroup(
    "pprof-sampling-history",
    (_usual(_USUAL_COVERAGE, _COVERAGE), _usual(_USUALLY_USED, _USED)),
    interval="30m",
)

GROUP = RuleGroup(
    "pprof-sampling",
    (
        RecordingRule(
            _COVERAGE,
            """
            sum without (source) (increase(pprof_cpu_accounted_seconds_total[30m]))
              / (sum without (source) (increase(pprof_cpu_used_seconds_total[30m])) > <cpu_enough_seconds>)
            """,
        ),
        # The CPU time per profile says how much of the coverage is chance and the end of the profile.
        RecordingRule(
            _USED,
            """
            sum without (source) (increase(pprof_cpu_used_seconds_total[30m]))
              / (increase(pprof_cpu_compared_profiles_total[30m]) > 0)
            """,
        ),
        RecordingRule(
            _LENGTH,
            """
            increase(pprof_cpu_profiled_seconds_total[30m])
              / (
                sum without (profile, outcome) (
                  increase(pprof_fetches_total{profile="cpu", outcome="success"}[30m])
                ) > 0
              )
            """,
        ),
        RecordingRule(
            "target:pprof_cpu_lost_samples:ratio_increase30m",
            f"""
            sum without (function) (increase(pprof_cpu_lost_samples_total[30m]))
              / ({_WITH_ENOUGH_SAMPLES})
            """,
        ),
        RecordingRule(
            "target:pprof_cpu_opaque_samples:ratio_increase30m",
            f"""
            sum without (function) (increase(pprof_cpu_opaque_samples_total[30m]))
              / ({_WITH_ENOUGH_SAMPLES})
            """,
        ),
        Alert(
            "PprofCpuTimer64Hz",
            "F1",
            Severity.WARNING,
            _SIXTY_FOUR,
            "15m",
            "CPU profiler of {{ $labels.target }} samples at 64 Hz instead of 100 Hz",
            """
            CPU profiles of {{ $labels.target }} hold {{ $value | printf "%.0f" }} samples per CPU second instead of
            100, so a third of the CPU time is missing from them and the profiles do not say so. The known cause is the
            timer of Go 1.16 to 1.21 on Windows (golang/go 61665): build the service with Go 1.22 or later.
            """,
            keep_firing_for="30m",
        ),
        # Absolute limits lie where no healthy program comes: Linux samples short bursts between kernel ticks less often
        # (docs/coverage.md). What a target usually shows is the closer limit, as long as its load is about the usual.
        Alert(
            "PprofCpuCoverageLow",
            "F1",
            Severity.WARNING,
            f"""
            (
              {_COVERAGE} < <cpu_coverage_low> {_at_least("busy")}
                or {_COVERAGE} < <cpu_coverage_low_light> {_at_least("light")}
                  unless on (job, instance, target) {_WINDOWS}
                or {_COVERAGE} < <cpu_coverage_low_windows> {_at_least("busy")} {_AND} {_WINDOWS}
                or {_COVERAGE} < <cpu_coverage_fallen> {_at_least("light")}
                  {_AND} {_COVERAGE} < {recorded_lately(_USUAL_COVERAGE)} - <cpu_coverage_fall>
                  {_AND} {_USED} > <cpu_used_alike> * {recorded_lately(_USUALLY_USED)}
            )
              unless on (job, instance, target) ({" ".join(_SIXTY_FOUR.split())})
              unless on (job, instance, target) {_NONE}
            """,
            "15m",
            "CPU profiles of {{ $labels.target }} miss CPU time",
            """
            The samples of the last half hour account for {{ $value | humanizePercentage }} of the CPU time that
            {{ $labels.target }} used during its CPU profiles. That is less than healthy programs show under such a
            load, or at least <cpu_coverage_fall> less than the median of its last seven days. Hot paths look smaller
            than they are.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofCpuCoverageLow",
            "F1",
            Severity.CRITICAL,
            f"""
            {_COVERAGE} < <cpu_coverage_very_low> {_at_least("busy")}
              unless on (job, instance, target) {_NONE}
            """,
            "15m",
            "CPU profiles of {{ $labels.target }} show only {{ $value | humanizePercentage }} of its CPU time",
            """
            The samples of the last half hour account for only {{ $value | humanizePercentage }} of the CPU time that
            {{ $labels.target }} used during its CPU profiles. Do not trust its CPU profiles.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofCpuNoSamples",
            "F1",
            Severity.CRITICAL,
            f"""
            sum without (source) (increase(pprof_cpu_used_seconds_total[30m])) > <cpu_enough_seconds>
              and on (job, instance, target) {_NONE}
            """,
            "15m",
            "CPU profiles of {{ $labels.target }} are empty although it uses CPU",
            """
            {{ $labels.target }} used {{ $value | printf "%.0f" }} s of CPU time during the CPU profiles of the last
            half hour, but they hold no samples. Check for threads of C code, which Go may not sample, and check that
            the CPU time is that of the same process.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofSamplesLost",
            "F2",
            Severity.WARNING,
            "target:pprof_cpu_lost_samples:ratio_increase30m > <samples_lost>",
            "15m",
            "Go runtime of {{ $labels.target }} loses CPU samples",
            """
            The Go runtime counted {{ $value | humanizePercentage }} of the CPU samples of {{ $labels.target }} in the
            last half hour as lost. Usual causes: samples arrive faster than the runtime can store them, or come from
            threads that Go did not start.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofSamplesOpaque",
            "F2",
            Severity.WARNING,
            "target:pprof_cpu_opaque_samples:ratio_increase30m > <samples_opaque>",
            "15m",
            "Many CPU samples of {{ $labels.target }} have no stack",
            """
            {{ $value | humanizePercentage }} of the CPU samples of {{ $labels.target }} in the last half hour are under
            a catch-all name (runtime._System, _GC, _ExternalCode) because the runtime could not walk their stacks.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofSamplesOpaque",
            "F2",
            Severity.CRITICAL,
            "target:pprof_cpu_opaque_samples:ratio_increase30m > <samples_opaque_severe>",
            "15m",
            "Most CPU samples of {{ $labels.target }} have no stack",
            """
            {{ $value | humanizePercentage }} of the CPU samples of {{ $labels.target }} in the last half hour are under
            a catch-all name (runtime._System, _GC, _ExternalCode). Its CPU profiles are of almost no use.
            """,
            keep_firing_for="30m",
        ),
        # One alert per target: the first of the three conditions that holds. A slow rate counts for a busy target only:
        # ticks on Linux follow the CPU time of a thread, and one that rests a third of the time seems to tick at 67 Hz.
        Alert(
            "PprofSamplingJitter",
            "F3",
            Severity.WARNING,
            f"""
            (
              pprof_tick_interval_statistic_seconds{{statistic="stddev"}} > <tick_stddev>
                {_OR} label_replace(pprof_tick_late_ratio > <tick_late>, "statistic", "late ratio", "", "")
                {_OR} label_replace(pprof_tick_rate_hertz < <tick_slow>, "statistic", "rate", "", "")
            )
              and on (job, instance, target) pprof_tick_audit_busy_processors >= <tick_busy>
              and on (job, instance, target) time() - pprof_tick_audit_timestamp_seconds < <tick_audit_fresh>
            """,
            "5m",
            "CPU sampling clock of {{ $labels.target }} is uneven or slow",
            """
            The latest audit of the sampling clock of {{ $labels.target }} found uneven, late or missing ticks: their
            {{ $labels.statistic }} is {{ $value | printf "%.3g" }} (healthy: a stddev below <tick_stddev> s, a late
            ratio below <tick_late>, a rate above <tick_slow> Hz). Code that runs between two late ticks is missing from
            CPU profiles.
            """,
        ),
    ),
)
