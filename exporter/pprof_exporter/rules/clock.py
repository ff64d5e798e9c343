"""F4: time stamps that disagree with the clock, go back, or span another time than was asked for."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RuleGroup, Severity

# The time stamp is held against the middle of the fetch, so that one slow profile looks skewed by half its latency. A
# wrong clock skews all of them.
_AHEAD = "min without (profile) (pprof_profile_clock_skew_seconds)"
_BEHIND = "max without (profile) (pprof_profile_clock_skew_seconds)"
# Of one window there is one value until the next; more than half of the time is more than half of the windows.
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
            "The clocks of {{ $labels.target }} and of the exporter disagree",
            """
            The time stamps of all profiles of {{ $labels.target }} differ from the exporter's clock by at least
            {{ $value | printf "%+.1f" }} s (plus: the target is ahead), so that profiles do not line up with logs and
            charts. Compare both clocks with a time server.
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
            "The clocks of {{ $labels.target }} and of the exporter are far apart",
            """
            The time stamps of all profiles of {{ $labels.target }} differ from the exporter's clock by at least
            {{ $value | printf "%+.1f" }} s (plus: the target is ahead): they line up with nothing that other hosts
            record. Find out which of the two clocks is wrong, and set it.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofTimeWentBackwards",
            "F4",
            Severity.WARNING,
            "max without (profile) (increase(pprof_profile_clock_regressions_total[1h])) > 0",
            "0m",
            "Time went backwards at {{ $labels.target }}",
            """
            Within the last hour {{ $labels.target }} sent a profile with a time stamp before that of the profile
            fetched earlier. Either its clock was set back by more than the time between the two, or the address leads
            to several processes whose clocks are as far apart.
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
            "CPU profiles of {{ $labels.target }} cover another time than was asked for",
            """
            In the last half hour the CPU profiles of {{ $labels.target }} differed from the seconds asked for by
            {{ $value | printf "%+.2f" }} s at the median; healthy are 0 to 0.2 s. Less: something in the service ends
            them early. More: the process, or its whole machine, stands still while they run.
            """,
            keep_firing_for="30m",
        ),
    ),
)
