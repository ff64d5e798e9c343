"""F6, F13 to F16: targets that do not answer, addresses of several processes, and profiles that do not come.

Each cause has one alert. A share of fetches is taken over half an hour and a count over an hour, since a profile that
always fails is asked for every ten minutes only. Each share wants a failure within the last quarter of an hour too, and
lasts that long before it fires. Failures from while a target was down do not fire an alert after it has recovered.

A counter with a label `reason` appears with its first failure, and `increase` cannot see a step from nothing to 1. So
the first failure of its kind is not counted, and an alert fires one failure late, but never wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable

from pprof_exporter.catalog import NO_INDEX_PAGE, NOT_SERVED, Reason, ReasonGroup
from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup, Severity

_REFUSED = ReasonGroup.REFUSED.reasons


def _any(reasons: Iterable[Reason]) -> str:
    return "|".join(sorted(reasons))


_TARGET = "on (job, instance, target)"
_PROFILE = "on (job, instance, target, profile)"
_REASON = "on (job, instance, target, profile, reason)"
# Over some minutes, so that a target with intermittent replies counts as up, and one that alternates between hanging
# and failing connections as wedged.
_IS_KNOWN = f"and {_TARGET} max_over_time(pprof_up[5m])"
_IS_UP = f"{_IS_KNOWN} == 1"
_WEDGED = "min_over_time(pprof_wedged[3m]) == 1"
_IS_NOT_WEDGED = f"unless {_TARGET} {_WEDGED}"

_FETCHES = "sum without (outcome) (increase(pprof_fetches_total[30m]))"
_FAILED = "target_profile_reason:pprof_fetch_failures:ratio_increase30m"
_UNDECODED = "target_profile_reason:pprof_decode_failures:ratio_increase30m"
_TROUBLE = f'reason!~"{_any(_REFUSED | NOT_SERVED)}"'

_OF_TARGET = "$labels.job $labels.instance $labels.target"
_WHY_DOWN = (
    "{{ with printf `pprof_down_info{job=%q, instance=%q, target=%q}` "
    f"{_OF_TARGET} | query }}}} ({{{{ . | first | label `reason` }}}}){{{{ end }}}}"
)
_SHARES = (
    f"{{{{ range $i, $one := printf `{_FAILED}{{job=%q, instance=%q, target=%q, profile=%q, {_TROUBLE}}} > 0` "
    f"{_OF_TARGET} $labels.profile | query | sortByLabel `reason` }}}}"
    "{{ if $i }}, {{ end }}{{ $one.Labels.reason }} {{ $one.Value | humanizePercentage }}{{ end }}"
)
_NO_HANDLER = (
    "the index page lists it, but no handler serves it. Register its handler (pprof.Index alone does not serve profile,"
    " cmdline or trace), or disable this profile for the target."
)
_HINTS = {reason: f"{reason.meaning}. {reason.advice}" for reason in sorted(_REFUSED)}
_HINTS |= dict.fromkeys(sorted(NOT_SERVED), _NO_HANDLER)
_HINT = "".join(
    f"{{{{ {'else ' if i else ''}if eq $labels.reason `{reason}` }}}}{hint}"
    for i, (reason, hint) in enumerate(_HINTS.items())
)

GROUP = RuleGroup(
    "pprof-reachability",
    (
        RecordingRule(
            _FAILED, f"increase(pprof_fetch_failures_total[30m]) / ignoring (reason) group_left () {_FETCHES}"
        ),
        RecordingRule(
            _UNDECODED, f"increase(pprof_decode_failures_total[30m]) / ignoring (reason) group_left () {_FETCHES}"
        ),
        RecordingRule(
            "target_profile:pprof_profiler_conflicts:ratio_increase30m",
            f'sum without (outcome) (increase(pprof_fetches_total{{outcome="busy"}}[30m])) / {_FETCHES}',
        ),
        # A warning, not a page: a service that cannot be profiled may still serve its users, and monitoring of the
        # service itself covers that.
        Alert(
            "PprofTargetDown",
            "F13",
            Severity.WARNING,
            f"""
            pprof_up == 0
              unless {_TARGET} pprof_down_info{{reason=~"{_any(_REFUSED | NO_INDEX_PAGE)}"}}
              {_IS_NOT_WEDGED}
            """,
            "5m",
            "pprof on {{ $labels.target }} is down",
            f"""
            {{{{ $labels.instance }}}} has not received the pprof index page of {{{{ $labels.target }}}} for five
            minutes{_WHY_DOWN}. It fetches no profiles from this target until the page answers. Check that the service
            runs and that the exporter can reach it.
            """,
        ),
        Alert(
            "PprofTargetWedged",
            "F6",
            Severity.CRITICAL,
            _WEDGED,
            "2m",
            "{{ $labels.target }} hangs: no reply to {{ $labels.profile }} requests",
            """
            Every {{ $labels.profile }} request to {{ $labels.target }} has timed out for five minutes although TCP
            connects. {{ if eq $labels.profile `index` }}The process probably makes no progress at all.{{ else }}The
            Go runtime may be unable to stop the world: then garbage collection waits forever too.{{ end }} Known causes
            are golang/go 80982, 80665 and 36492. Save a dump of the process before you restart it.
            """,
        ),
        Alert(
            "PprofNotMounted",
            "F13",
            Severity.WARNING,
            f"""
            pprof_down_info{{reason=~"{_any(NO_INDEX_PAGE)}"}}
              and {_TARGET} pprof_up == 0
              unless {_TARGET} time() - pprof_last_success_timestamp_seconds{{profile!="index"}} < <answered_lately>
            """,
            "5m",
            "No pprof at {{ $labels.target }}, although a server answers",
            """
            A web server answers at {{ $labels.target }}, but {{ if eq $labels.reason `html` }}sends another page in
            place of the pprof index page{{ else }}has no pprof index page there{{ end }} ({{ $labels.reason }}). No
            profile arrives either. This is not an outage: pprof was switched off or is mounted under another path, or
            another server uses this address.
            """,
        ),
        # The first alert of such a target: it inhibits those that take longer, and the others ask for this state.
        Alert(
            "PprofSeveralProcesses",
            "F16",
            Severity.WARNING,
            "pprof_several_processes_info == 1",
            "10m",
            "Several processes answer at {{ $labels.target }}",
            """
            Requests to {{ $labels.target }} reach different processes in turn, as behind a load balancer: start times,
            builds or counters go back and forth. Their profiles are a mixture, so the exporter judges none of them and
            shows no content. Configure the address of each replica as a target of its own.
            """,
            keep_firing_for="30m",
        ),
        # After a long outage each profile has a quarter of an hour to arrive. Skips by the guard do not count.
        Alert(
            "PprofProfileStale",
            "F13",
            Severity.WARNING,
            f"""
            time() - pprof_last_success_timestamp_seconds{{profile!="index"}} > <profile_stale>
              {_IS_UP}
              {_IS_NOT_WEDGED}
              unless {_PROFILE} pprof_profile_available == 0
              unless {_PROFILE} increase(pprof_fetches_skipped_total{{reason="guard"}}[30m]) > 0
            """,
            "15m",
            "No fresh {{ $labels.profile }} profile from {{ $labels.target }}",
            """
            The latest {{ $labels.profile }} profile from {{ $labels.target }} is {{ $value | humanizeDuration }} old,
            although the target is up. Its series are out of date or gone. Check whether its fetches fail, are skipped
            or are deferred.
            """,
        ),
        Alert(
            "PprofFetchFailing",
            "F13",
            Severity.WARNING,
            f"""
            sum without (reason) ({_FAILED}{{{_TROUBLE}}}) > <failing>
              and {_PROFILE} sum without (reason) (increase(pprof_fetch_failures_total{{{_TROUBLE}}}[1h])) >= <failures>
              and {_PROFILE} increase(pprof_fetch_failures_total{{{_TROUBLE}}}[15m]) > 0
              {_IS_UP}
              {_IS_NOT_WEDGED}
            """,
            "15m",
            "Fetches of {{ $labels.profile }} from {{ $labels.target }} fail",
            f"""
            {{{{ $value | humanizePercentage }}}} of the fetches of {{{{ $labels.profile }}}} from {{{{ $labels.target
            }}}} failed in the last half hour, although the target is up: {_SHARES}. If other profiles fail too, suspect
            the network or the load.
            """,
            keep_firing_for="15m",
        ),
        # goroutineleak is left out of the profiles that the index page lists without a handler: routers with a fixed
        # list of handlers from before Go 1.27 do not have it (gin-contrib/pprof 71), and nothing is wrong.
        Alert(
            "PprofProfileRejected",
            "F15",
            Severity.WARNING,
            f"""
            (
              {_FAILED}{{reason=~"{_any(_REFUSED)}"}} > <failing>
                or {_FAILED}{{reason=~"{_any(NOT_SERVED)}", profile!="goroutineleak"}} > <failing>
                unless {_TARGET} pprof_down_info
            )
              and {_REASON} increase(pprof_fetch_failures_total[1h]) >= <rejections>
              and {_REASON} increase(pprof_fetch_failures_total[15m]) > 0
              {_IS_KNOWN}
            """,
            "15m",
            "{{ $labels.target }} refuses {{ $labels.profile }} requests",
            f"""
            {{{{ $value | humanizePercentage }}}} of the {{{{ $labels.profile }}}} requests to {{{{ $labels.target }}}}
            were refused in the last half hour ({{{{ $labels.reason }}}}): {_HINT}{{{{ end }}}}
            """,
        ),
        # While the index page is missing, a router may answer with a page of its own for profiles that are missing too.
        Alert(
            "PprofDecodeFailing",
            "F13",
            Severity.WARNING,
            f"""
            (
              {_UNDECODED}{{reason!="{Reason.HTML}", profile!="index"}} > <undecodable>
                or {_UNDECODED}{{reason="{Reason.HTML}", profile!="index"}} > <undecodable>
                unless {_TARGET} pprof_down_info
            )
              and {_REASON} increase(pprof_decode_failures_total[1h]) >= <failures>
              and {_REASON} increase(pprof_decode_failures_total[15m]) > 0
              {_IS_UP}
            """,
            "15m",
            "Unreadable {{ $labels.profile }} replies from {{ $labels.target }}",
            """
            {{ $value | humanizePercentage }} of the fetches of {{ $labels.profile }} from {{ $labels.target }} in the
            last half hour returned a complete reply that cannot be read as a profile ({{ $labels.reason }}). Fetch one
            by hand and inspect it: a router or proxy may answer in place of pprof or rewrite its replies.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfilerConflict",
            "F14",
            Severity.WARNING,
            f"""
            target_profile:pprof_profiler_conflicts:ratio_increase30m > <busy>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[1h]) >= <failures>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[15m]) > 0
              {_IS_UP}
            """,
            "15m",
            "Another profiler is active in {{ $labels.target }}",
            """
            {{ $value | humanizePercentage }} of the fetches of {{ $labels.profile }} from {{ $labels.target }} in the
            last half hour were rejected because another profiler was collecting. Go takes one CPU profile of a process
            at a time, so both profilers have gaps. Find the other profiler and disable one of the two.
            """,
            keep_firing_for="15m",
        ),
    ),
)
