"""F4: time stamps that disagree with the clock or go backwards, and windows of the wrong duration."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import Alert, RuleGroup

# The skew is that of the time stamp to the middle of the fetch, so that one slow profile is skewed by half its latency.
# A wrong clock skews all of them.
_AHEAD = "min without (profile) (pprof_profile_clock_skew_seconds)"
_BEHIND = "max without (profile) (pprof_profile_clock_skew_seconds)"
# The value of a window stays until the next one, so more than half of the time means more than half of the windows.
_WINDOW = "quantile_over_time(0.5, pprof_profile_window_error_seconds[30m])"

GROUP = RuleGroup(
    "pprof-clock",
    (
        Alert(
            "PprofClockSkew",
            "F4",
            Severity.WARNING,
            f"""
            {_AHEAD} > <clock_skew>
              or {_BEHIND} < -<clock_skew>
            """,
            "15m",
            "Clock skew between {{ $labels.target }} and the exporter",
            """
            The time stamps of all profiles of {{ $labels.target }} differ from the exporter's clock by at least
            {{ $value | printf "%+.1f" }} s (plus: the target is ahead). Profiles do not line up with logs and charts.
            Compare both clocks with a time server.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofClockSkew",
            "F4",
            Severity.CRITICAL,
            f"""
            {_AHEAD} > <clock_skew_severe>
              or {_BEHIND} < -<clock_skew_severe>
            """,
            "15m",
            "Severe clock skew between {{ $labels.target }} and the exporter",
            """
            The time stamps of all profiles of {{ $labels.target }} differ from the exporter's clock by at least
            {{ $value | printf "%+.1f" }} s (plus: the target is ahead). Profiles do not line up with anything that
            other hosts record. Find out which clock is wrong and set it.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofTimeWentBackwards",
            "F4",
            Severity.WARNING,
            "max without (profile) (increase(pprof_profile_clock_regressions_total[1h])) > 0",
            "0m",
            "Time went backwards on {{ $labels.target }}",
            """
            In the last hour {{ $labels.target }} sent a profile with an earlier time stamp than the profile before it.
            Either its clock was set back by more than the time between the two fetches, or the address leads to several
            processes whose clocks are that far apart.
            """,
        ),
        Alert(
            "PprofWindowWrong",
            "F4",
            Severity.WARNING,
            f"""
            {_WINDOW} < <window_too_short>
              or {_WINDOW} > <window_too_long>
            """,
            "15m",
            "CPU profiles of {{ $labels.target }} have the wrong duration",
            """
            In the last half hour the duration of CPU profiles of {{ $labels.target }} differed from the requested one
            by {{ $value | printf "%+.2f" }} s at the median; healthy is 0 to 0.2 s. Too short: something in the service
            ends them early. Too long: usually the process or its whole machine stalls while they run.
            """,
            keep_firing_for="30m",
        ),
    ),
)
