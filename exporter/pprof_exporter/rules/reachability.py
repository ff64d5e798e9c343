"""F13, F14, F15: profiles that cannot be fetched, and why."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, Group, Record, Severity

_TARGET = "on (job, instance, target)"
_PROFILE = "on (job, instance, target, profile)"
_IS_UP = f"and {_TARGET} pprof_up == 1"
# A server that refuses is configured so; it is not down. Each of these has an alert of its own.
_REFUSALS = "unauthorized|method|http_4xx|write_timeout"
_ELSEWHERE = "not_mounted|html"
_UNLESS_REFUSED = f'unless {_TARGET} pprof_down_info{{reason=~"{_REFUSALS}|{_ELSEWHERE}"}}'
_WHY = (
    "{{ with printf \"pprof_down_info{job='%s',instance='%s',target='%s'}\" $labels.job $labels.instance $labels.target"
    ' | query }} ({{ . | first | label "reason" }}){{ end }}'
)
_FETCHES = "sum without (outcome) (increase(pprof_fetches_total[30m]))"

GROUP = Group(
    "pprof-reachability",
    (
        Record(
            "target_profile:pprof_fetch_failures:ratio_increase30m",
            f"""
            sum without (reason) (
              increase(pprof_fetch_failures_total{{reason!~"{_REFUSALS}|not_mounted|unknown_profile"}}[30m])
            )
              / {_FETCHES}
            """,
        ),
        Alert(
            "PprofTargetDown",
            "F13",
            Severity.CRITICAL,
            f"""
            pprof_up == 0
              unless {_TARGET} pprof_wedged == 1
              {_UNLESS_REFUSED}
            """,
            "5m",
            "{{ $labels.target }} does not answer",
            f"""
            The index page of pprof on {{{{ $labels.target }}}} could not be read for five minutes{_WHY}. No profile is
            fetched meanwhile.
            """,
        ),
        Alert(
            "PprofTargetWedged",
            "F6",
            Severity.CRITICAL,
            "pprof_wedged == 1",
            "3m",
            "{{ $labels.target }} accepts connections and does not answer",
            """
            {{ $labels.target }} accepts connections, but never answers for {{ $labels.profile }}. If that is index,
            nothing runs in the process; if it is goroutine, the Go runtime cannot stop the world (golang/go 80982,
            80665, 36492). It will not recover by itself: save a dump before you restart it.
            """,
        ),
        Alert(
            "PprofNotMounted",
            "F13",
            Severity.WARNING,
            f"""
            pprof_up == 0
              and {_TARGET} pprof_down_info{{reason=~"{_ELSEWHERE}"}}
              unless {_TARGET} time() - pprof_last_success_timestamp_seconds{{profile!="index"}} < <answered_lately>
            """,
            "5m",
            "{{ $labels.target }} answers, but has no pprof there",
            f"""
            A web server answers under {{{{ $labels.target }}}}, but net/http/pprof is not mounted under that
            path{_WHY}. It was switched off, or the path of the target is wrong.
            """,
        ),
        Alert(
            "PprofProfileStale",
            "F13",
            Severity.WARNING,
            f"""
            (time() - pprof_last_success_timestamp_seconds{{profile!~"index|canary|memstats|stacks"}} > <profile_stale>)
              {_IS_UP}
              unless {_PROFILE} pprof_profile_available == 0
              unless {_PROFILE} increase(pprof_fetches_skipped_total{{reason="guard"}}[30m]) > 0
            """,
            "15m",
            "There is no new {{ $labels.profile }} profile of {{ $labels.target }}",
            """
            The last good {{ $labels.profile }} profile of {{ $labels.target }} is {{ $value | humanizeDuration }} old,
            although the target answers.
            """,
        ),
        Alert(
            "PprofFetchFailing",
            "F13",
            Severity.WARNING,
            f"""
            target_profile:pprof_fetch_failures:ratio_increase30m > <failing>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="failure"}}[30m]) >= <failures>
              {_IS_UP}
              unless {_TARGET} pprof_wedged == 1
            """,
            "10m",
            "The {{ $labels.profile }} profile of {{ $labels.target }} often cannot be fetched",
            """
            {{ $value | humanizePercentage }} of the fetches of the {{ $labels.profile }} profile of {{ $labels.target
            }} failed within half an hour. The reasons: pprof_fetch_failures_total.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfileRejected",
            "F15",
            Severity.WARNING,
            f"""
            increase(pprof_fetch_failures_total{{reason=~"{_REFUSALS}"}}[30m]) >= <rejections>
            """,
            "10m",
            "{{ $labels.target }} refuses to give the {{ $labels.profile }} profile",
            """
            {{ $labels.target }} refused {{ $value | printf "%.0f" }} requests for the {{ $labels.profile }} profile
            within half an hour: {{ $labels.reason }}. {{ if eq $labels.reason "write_timeout" }}The window is longer
            than the WriteTimeout of its server (Go 1.22 and older): ask for a shorter window, or raise the
            WriteTimeout.{{ end }} {{ if eq $labels.reason "unauthorized" }}It wants a user and a password.{{ end }} {{
            if eq $labels.reason "method" }}It does not allow GET there.{{ end }}
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofDecodeFailing",
            "F13",
            Severity.WARNING,
            f"""
            increase(pprof_decode_failures_total[30m]) / ignoring (reason) group_left {_FETCHES} > <undecodable>
              and increase(pprof_decode_failures_total[30m]) >= <rejections>
            """,
            "10m",
            "What {{ $labels.target }} sends as {{ $labels.profile }} is no profile",
            """
            {{ $value | humanizePercentage }} of the replies of {{ $labels.target }} for the {{ $labels.profile }}
            profile are no profile within half an hour: {{ $labels.reason }}.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfilerConflict",
            "F14",
            Severity.WARNING,
            f"""
            sum without (outcome) (increase(pprof_fetches_total{{outcome="busy"}}[30m])) / {_FETCHES} > <busy>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[30m]) >= <failures>
            """,
            "10m",
            "Another profiler is at work in {{ $labels.target }}",
            """
            {{ $value | humanizePercentage }} of the {{ $labels.profile }} fetches of {{ $labels.target }} found another
            profiler collecting within half an hour. A process has one CPU profile at a time: let one of the two go.
            """,
            keep_firing_for="15m",
        ),
    ),
)
