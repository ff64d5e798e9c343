"""F6, F13 to F16: targets that do not answer, addresses of several processes, and profiles that do not come.

Each cause has a recording rule that says whether it holds for a target, and one alert. `catalog.RootCause` has their
order, and each alert leaves out the targets for which an earlier cause holds: at most one of them fires for a target.
Causes without an index page need `pprof_up == 0` for as long as they wait, and all others need it to be 1 meanwhile.

A share of fetches is taken over half an hour and a count over an hour, since a profile that always fails is asked for
every ten minutes only. Each share wants a failure within the last quarter of an hour too, and lasts that long before it
fires. Failures from while a target was down do not fire an alert after it has recovered.

A counter with a label `reason` appears with its first failure, and `increase` cannot see a step from nothing to 1. So
the first failure of its kind is not counted, and an alert fires one failure late, but never wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable

from pprof_exporter.catalog import NO_INDEX_PAGE, NOT_SERVED, Reason, ReasonGroup
from pprof_exporter.catalog.hints import explained
from pprof_exporter.catalog.root_causes import NO_HANDLER, OTHER_PAGE, RootCause
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.guards import EXHAUSTED_EXPORTERS
from pprof_exporter.rules.model import TARGET, TARGET_LABELS, Alert, RecordingRule, RuleGroup

_REFUSED = ReasonGroup.REFUSED.reasons


def _any(reasons: Iterable[Reason]) -> str:
    return "|".join(sorted(reasons))


def _problem(cause: RootCause) -> str:
    """The recording rule of a cause; of several processes, the exporter itself has the series."""
    several = cause is RootCause.SEVERAL_PROCESSES
    return "pprof_several_processes_info" if several else f"target:pprof_{cause}:problem"


def _unless_earlier(cause: RootCause) -> str:
    """Leaves out the targets with an earlier cause. Those without an index page exclude the others by `pprof_up`."""
    earlier = [one for one in cause.earlier if one.without_index == cause.without_index or one is RootCause.HANGS]
    # The state of several processes first: it is no condition of the alert, but a cause.
    earlier.sort(key=lambda one: one is not RootCause.SEVERAL_PROCESSES)
    return "\n".join(f"unless {TARGET} {_problem(one)}" for one in earlier)


def _alone(cause: RootCause) -> str:
    return f"{_problem(cause)}\n" + _indented(_unless_earlier(cause))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


_PROFILE = "on (job, instance, target, profile)"
_REASON = "on (job, instance, target, profile, reason)"
# Over some minutes, so that a target with intermittent replies counts as up, and one that alternates between hanging
# and failing connections as wedged.
_IS_UP = f"and {TARGET} max_over_time(pprof_up[5m]) == 1"

_FETCHES = "sum without (outcome) (increase(pprof_fetches_total[30m]))"
_FAILED = "target_profile_reason:pprof_fetch_failures:ratio_increase30m"
_UNDECODED = "target_profile_reason:pprof_decode_failures:ratio_increase30m"
_CONFLICTS = "target_profile:pprof_profiler_conflicts:ratio_increase30m"
_BROKEN = f'reason!~"{_any(_REFUSED | NOT_SERVED)}"'
_REJECTS = f'reason=~"{_any(_REFUSED | NOT_SERVED)}"'
_OTHER_PAGE = _any(OTHER_PAGE)

_WHY_DOWN = (
    "{{ with printf `pprof_down_info{job=%q, instance=%q, target=%q}` "
    f"{TARGET_LABELS} | query }}}} ({{{{ . | first | label `reason` }}}}){{{{ end }}}}"
)


def _listed(share: str, selector: str) -> str:
    """A template that lists each profile of the target with the reason and share of its failures."""
    return (
        f"{{{{ range $i, $one := printf `{share}{{job=%q, instance=%q, target=%q{selector}}} > 0` {TARGET_LABELS}"
        " | query | sortByLabel `reason` | sortByLabel `profile` }}{{ if $i }}, {{ end }}{{ $one.Labels.profile }}"
        " ({{ $one.Labels.reason }} {{ $one.Value | humanizePercentage }}){{ end }}"
    )


_HINTS = {reason: explained(reason) for reason in sorted(_REFUSED)}
_HINTS |= dict.fromkeys(sorted(NOT_SERVED - {Reason.HTTP_3XX}), NO_HANDLER)
_HINTS[Reason.HTTP_3XX] = explained(Reason.HTTP_3XX)
_HINT = (
    f"{{{{ range printf `count by (reason) ({_FAILED}{{job=%q, instance=%q, target=%q, {_REJECTS}}} > 0)` "
    f"{TARGET_LABELS}"
    " | query | sortByLabel `reason` }} {{ .Labels.reason }}:"
    + "".join(
        f"{{{{ {'else ' if i else ''}if eq .Labels.reason `{reason}` }}}} {hint}"
        for i, (reason, hint) in enumerate(_HINTS.items())
    )
    + "{{ end }}{{ end }}"
)
_STALE = f"""time() - pprof_last_success_timestamp_seconds{{profile!="index"}} > <profile_stale>
            unless {_PROFILE} pprof_profile_available == 0
            unless {_PROFILE} increase(pprof_fetches_skipped_total{{reason="guard"}}[30m]) > 0
            unless {EXHAUSTED_EXPORTERS}"""


def _without_index(reasons: Iterable[Reason]) -> str:
    """The targets whose index page fails with these reasons alone; changing reasons are another cause."""
    only = _any(reasons)
    return f"""
        max without (reason) (pprof_down_info{{reason=~"{only}"}})
          and {TARGET} pprof_up == 0
          unless {TARGET} max_over_time(pprof_down_info{{reason!~"{only}"}}[3m]) == 1
    """


_PROBLEMS: dict[RootCause, str] = {
    RootCause.HANGS: f"""
        max without (profile) (
          min_over_time(pprof_wedged{{profile="index"}}[3m]) == 1
            or min_over_time(pprof_wedged{{profile="goroutine"}}[3m]) == 1 {_IS_UP}
        )
    """,
    RootCause.NOT_MOUNTED: _without_index(NO_INDEX_PAGE),
    RootCause.REFUSED: _without_index(_REFUSED),
    RootCause.DOWN: "pprof_up == 0",
    # goroutineleak is left out of the profiles that the index page lists without a handler: routers with a fixed list
    # of handlers from before Go 1.27 do not have it (gin-contrib/pprof 71), and nothing is wrong.
    RootCause.REJECTED: f"""
        count without (profile, reason) (
          (
            {_FAILED}{{reason=~"{_any(_REFUSED)}"}} > <failing>
              or {_FAILED}{{reason=~"{_any(NOT_SERVED)}", profile!="goroutineleak"}} > <failing>
              unless {TARGET} pprof_down_info
          )
            and {_REASON} increase(pprof_fetch_failures_total[1h]) >= <rejections>
            and {_REASON} increase(pprof_fetch_failures_total[15m]) > 0
        )
          {_IS_UP}
    """,
    # While the index page is missing, a router may answer with a page of its own for profiles that are missing too.
    RootCause.UNREADABLE: f"""
        count without (profile, reason) (
          (
            {_UNDECODED}{{reason!~"{_OTHER_PAGE}", profile!="index"}} > <undecodable>
              or {_UNDECODED}{{reason=~"{_OTHER_PAGE}", profile!="index"}} > <undecodable>
              unless {TARGET} pprof_down_info
          )
            and {_REASON} increase(pprof_decode_failures_total[1h]) >= <failures>
            and {_REASON} increase(pprof_decode_failures_total[15m]) > 0
        )
          {_IS_UP}
    """,
    RootCause.CONFLICT: f"""
        count without (profile) (
          {_CONFLICTS} > <busy>
            and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[1h]) >= <failures>
            and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[15m]) > 0
        )
          {_IS_UP}
    """,
    # Of all fetches of the target, since each profile alone may have too few of them; and of each profile over an hour,
    # since one that fails alone is a small part of all.
    RootCause.FAILING: f"""
        (
          sum without (profile, reason) (increase(pprof_fetch_failures_total{{{_BROKEN}}}[30m]))
              / sum without (profile, outcome) (increase(pprof_fetches_total[30m])) > <fetches_lost>
            or
          max without (profile) (
            sum without (reason) (increase(pprof_fetch_failures_total{{{_BROKEN}}}[1h]))
                / sum without (outcome) (increase(pprof_fetches_total[1h])) > <fetches_lost>
              and {_PROFILE} sum without (reason) (increase(pprof_fetch_failures_total{{{_BROKEN}}}[1h])) >= <failures>
          )
        )
          and {TARGET}
            sum without (profile, reason) (increase(pprof_fetch_failures_total{{{_BROKEN}}}[1h])) >= <failures>
          and {TARGET} sum without (profile, reason) (increase(pprof_fetch_failures_total{{{_BROKEN}}}[15m])) > 0
          {_IS_UP}
    """,
    # After a long outage each profile has a quarter of an hour to arrive. Skips by the guard do not count.
    RootCause.STALE: f"""
        max without (profile) (
          {_STALE}
        )
          {_IS_UP}
    """,
}

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
            _CONFLICTS,
            f'sum without (outcome) (increase(pprof_fetches_total{{outcome="busy"}}[30m])) / {_FETCHES}',
        ),
        *(RecordingRule(_problem(cause), expr) for cause, expr in _PROBLEMS.items()),
        # A warning, not a page: a service that cannot be profiled may still serve its users, and monitoring of the
        # service itself covers that.
        Alert(
            "PprofTargetDown",
            "F13",
            Severity.WARNING,
            _alone(RootCause.DOWN),
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
            f"""
            min_over_time(pprof_wedged{{profile="index"}}[3m]) == 1
              or min_over_time(pprof_wedged{{profile="goroutine"}}[3m]) == 1
              {_IS_UP}
              unless {TARGET} pprof_wedged{{profile="index"}} == 1
            """,
            "2m",
            "{{ $labels.target }} hangs: no reply to {{ $labels.profile }} requests",
            """
            Every {{ $labels.profile }} request to {{ $labels.target }} has timed out for five minutes although TCP
            connects. {{ if eq $labels.profile `index` }}The process probably makes no progress at all.{{ else }}No
            other request that stops the world was answered either, so the Go runtime is probably unable to stop it:
            then garbage collection waits forever too.{{ end }} Known causes are golang/go 80982, 80665 and 36492. Save
            a dump of the process before you restart it.
            """,
        ),
        Alert(
            "PprofNotMounted",
            "F13",
            Severity.WARNING,
            _alone(RootCause.NOT_MOUNTED),
            "5m",
            "No pprof at {{ $labels.target }}, although a server answers",
            f"""
            A web server answers at {{{{ $labels.target }}}}, but not with the index page of pprof{_WHY_DOWN}. No
            profile arrives either. This is not an outage: pprof was switched off or is mounted under another path, or
            another server uses this address, such as a login page.
            """,
        ),
        # The first alert of such a target that has an index page; later causes step aside for this state.
        Alert(
            "PprofSeveralProcesses",
            "F16",
            Severity.WARNING,
            f"""
            pprof_several_processes_info == 1
              unless {TARGET} max_over_time(pprof_up[5m]) == 0
              unless {TARGET} target:pprof_hangs:problem
            """,
            "10m",
            "Several processes answer at {{ $labels.target }}",
            """
            Requests to {{ $labels.target }} reach different processes in turn, as behind a load balancer: start times,
            builds or counters go back and forth. Their profiles are a mixture, so the exporter judges none of them and
            shows no content. Configure the address of each replica as a target of its own.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofProfileStale",
            "F13",
            Severity.WARNING,
            _alone(RootCause.STALE),
            "15m",
            "No fresh profiles from {{ $labels.target }}",
            f"""
            Profiles of {{{{ $labels.target }}}} are out of date, although the target is up:
            {{{{ range $i, $one := printf `time() - pprof_last_success_timestamp_seconds{{job=%q, instance=%q,
            target=%q, profile!="index"}} > <profile_stale> unless {_PROFILE} pprof_profile_available == 0`
            {TARGET_LABELS} | query | sortByLabel `profile` }}}}{{{{ if $i }}}}, {{{{ end }}}}{{{{
            $one.Labels.profile }}}} ({{{{ $one.Value | humanizeDuration }}}} old){{{{ end }}}}.
            Their series are out of date or gone. Check whether their fetches fail, are skipped or are deferred.
            """,
        ),
        Alert(
            "PprofFetchFailing",
            "F13",
            Severity.WARNING,
            _alone(RootCause.FAILING),
            "15m",
            "Fetches from {{ $labels.target }} fail",
            f"""
            {{{{ $value | humanizePercentage }}}} of the fetches from {{{{ $labels.target }}}} fail, or of those of one
            profile, although the target is up. In the last half hour:
            {_listed(_FAILED, f", {_BROKEN}")}. If most profiles fail, suspect the network or the load; if one fails
            alone, its handler.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfileRejected",
            "F15",
            Severity.WARNING,
            f"{_problem(RootCause.REFUSED)}\n  or (\n{_indented(_indented(_alone(RootCause.REJECTED)))}\n  )",
            "15m",
            "{{ $labels.target }} refuses requests for profiles",
            f"""
            Requests to {{{{ $labels.target }}}} were refused in the last half hour:
            {_listed(_FAILED, f", {_REJECTS}")}.{_HINT}
            """,
        ),
        Alert(
            "PprofDecodeFailing",
            "F13",
            Severity.WARNING,
            _alone(RootCause.UNREADABLE),
            "15m",
            "Unreadable replies from {{ $labels.target }}",
            f"""
            Complete replies of {{{{ $labels.target }}}} cannot be read as profiles. Share of the fetches in the last
            half hour: {_listed(_UNDECODED, "")}. Fetch one by hand and inspect it: a router or proxy may answer in
            place of pprof or rewrite its replies.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofProfilerConflict",
            "F14",
            Severity.WARNING,
            f"""
            {_CONFLICTS} > <busy>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[1h]) >= <failures>
              and {_PROFILE} increase(pprof_fetches_total{{outcome="busy"}}[15m]) > 0
              {_IS_UP}
              {_unless_earlier(RootCause.CONFLICT).replace(chr(10), chr(10) + " " * 14)}
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
