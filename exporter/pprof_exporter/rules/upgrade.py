"""F16, F20: changes of a target, and signals that are worse since.

The exporter compares the median of a signal in the epoch before the latest change with that in the current epoch.
Times of changes are taken over a range, since an exporter that restarts does not know them any more.
"""

from __future__ import annotations

from pprof_exporter.catalog.regressions import MEASURES, RESOURCES, Measure
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.guards import MIXED_TARGETS, overloaded
from pprof_exporter.rules.model import TARGET, TARGET_LABELS, Alert, RecordingRule, RuleGroup

_SIGNAL = "on (job, instance, target, signal)"
_RECENT = "target_change:pprof_last_change_timestamp_seconds:max1d"
_LATEST = "target_change:pprof_last_change_timestamp_seconds:latest"
_MAIN = "target:pprof_last_change_timestamp_seconds:main"
_WORSE = "target_signal:pprof_signal_median:worse"
_REGRESSED = "target_signal:pprof_signal_median:regressed"
_FEWEST = "target_signal:pprof_signal_observations:min"

_NOW = 'pprof_signal_median{epoch="now"}'
_BEFORE = 'pprof_signal_median{epoch="before"}'
_EXPECTED = "target_signal:pprof_signal_median:expected"
_RISEN = "target_signal:pprof_signal_median:risen"
_FALLEN = "target_signal:pprof_signal_median:fallen"
_DIFFERENCE = "target_signal:pprof_signal_median:difference"

_LOADED = "|".join(one.signals for one in MEASURES if one.follows_load)
_LEVELS = "|".join(one.signals for one in MEASURES if one.like_ages)
_LEVEL_CONTROL = f'pprof_signal_control_ratio{{signal=~"{_LEVELS}"}}'
_LEVEL_LOAD = f'pprof_signal_load_ratio{{signal=~"{_LEVELS}"}}'
_UNLOADED = f'pprof_signal_median{{epoch="before", signal!~"{_LOADED}"}}'
_LATENT = "|".join(one.signals for one in MEASURES if one.controlled)
_CONTROL = f'pprof_signal_control_ratio{{signal=~"{_LATENT}|{_LOADED}"}}'
_QUICK = "(allocs|block|goroutine|goroutineleak|heap|mutex|threadcreate)"
_LATENCIES = f"fetch_duration_seconds:{_QUICK}|(canary_duration|latency_difference)_seconds:.+"


def _older(minor: int) -> str:
    """A regular expression for versions of Go before 1.`minor`, which is 21 to 29."""
    return f"1[.](1?[0-9]|2[0-{minor - 21}])([^0-9].*)?"


def _crossed(older: str, newer: str, minor: int) -> str:
    return f'pprof_last_change_info{{change="go", {older}=~"{_older(minor)}", {newer}!~"{_older(minor)}"}}'


def _risen(measure: Measure) -> str:
    """Current medians of a resource beyond its limits, without those that Go changed by design."""
    risen = (
        f'{_RISEN}{{signal="{measure.signals}"}}'
        if measure.factor == "regression_factor"
        else f'(sum without (epoch) (pprof_signal_median{{epoch="now", signal="{measure.signals}"}})'
        f" > <{measure.factor}> * {_EXPECTED})"
    )
    excused = ""
    if measure.rises_in:
        excused += f" unless {TARGET} {_crossed('from', 'to', measure.rises_in)}"
    if measure.falls_in:
        excused += f" unless {TARGET} {_crossed('to', 'from', measure.falls_in)}"
    return f"{risen} and {_SIGNAL} {_DIFFERENCE} > <{measure.difference}>{excused}"


_RESOURCES_RISEN = "\n              or ".join(_risen(one) for one in MEASURES if one.signals in RESOURCES)
_COVERAGE = 'sum without (epoch) (pprof_signal_median{epoch="now", signal="cpu_coverage_ratio"})'
_TICK_RATE = 'sum without (epoch) (pprof_signal_median{epoch="now", signal="tick_rate_hertz"})'

_CHANGE_WORDS = (
    '{{ if eq .Labels.change "operating_system" }}the operating system'
    '{{ else if eq .Labels.change "go" }}the Go version'
    '{{ else if eq .Labels.change "modules" }}foreign modules'
    "{{ else }}the build{{ end }}"
)


def _value(value: str) -> str:
    """A value in the unit that the signal name ends with."""
    return (
        f'{{{{ if match "_seconds_per_second$" $labels.signal }}}}{{{{ {value} | printf "%.2g" }}}} s per second'
        f'{{{{ else if match "_bytes_per_second$" $labels.signal }}}}{{{{ {value} | humanize1024 }}}}B per second'
        f'{{{{ else if match "_bytes$" $labels.signal }}}}{{{{ {value} | humanize1024 }}}}B'
        f'{{{{ else if match "_processors$" $labels.signal }}}}{{{{ {value} | printf "%.2g" }}}} processors'
        f'{{{{ else if match "_seconds" $labels.signal }}}}{{{{ {value} | humanizeDuration }}}}'
        f'{{{{ else if match "_ratio" $labels.signal }}}}{{{{ {value} | humanizePercentage }}}}'
        f'{{{{ else }}}}{{{{ {value} | printf "%.3g" }}}}{{{{ end }}}}'
    )


_OF_TARGET = "job=%q, instance=%q, target=%q"
_MEDIAN_BEFORE = (
    f'{{{{ with printf `pprof_signal_median{{{_OF_TARGET}, signal=%q, epoch="before"}}` {TARGET_LABELS} '
    f"$labels.signal | query }}}}{_value('. | first | value')}{{{{ else }}}}unknown{{{{ end }}}}"
)
_ELSEWHERE = (
    f"{{{{ with printf `pprof_signal_control_ratio{{{_OF_TARGET}, signal=%q}}` {TARGET_LABELS} $labels.signal "
    '| query }} On targets without an upgrade it is {{ . | first | value | printf "%.2g" }} times what it was.{{ end }}'
)
# Where a control group is known, the load is that of the group.
_LOAD = (
    f"{{{{ with printf `pprof_signal_load_ratio{{{_OF_TARGET}, signal=%q}} unless pprof_signal_control_ratio` "
    f"{TARGET_LABELS} $labels.signal | query }}}} The target uses "
    '{{ . | first | value | printf "%.2g" }} times the CPU time.{{ end }}'
)
_TIME_OF_CHANGE = (
    f"{{{{ with printf `{_MAIN}{{{_OF_TARGET}}}` {TARGET_LABELS} | query }}}}"
    "{{ . | first | value | humanizeTimestamp }}{{ end }}"
)


def _asked(expr: str, labels: str) -> str:
    """The series of an expression with these labels in the place of each `%q`, sorted by what changed."""
    return f"printf `{expr}` {labels} | query | sortByLabel `change`"


def _listed(series: str, words: str) -> str:
    """The words on each of the series, by comma."""
    return f"{{{{ range $i, $one := {series} }}}}{{{{ if $i }}}}, {{{{ end }}}}{words}{{{{ end }}}}"


def _first_of(series: str, words: str, otherwise: str) -> str:
    """The words on each of the series, or something else where there is none."""
    return f"{{{{ with {series} }}}}{_listed('.', words)}{{{{ else }}}}{otherwise}{{{{ end }}}}"


# What it was before and is now. An exporter that restarts does not know that any more, but Prometheus when it was.
_INFO = "pprof_last_change_info"
_FROM_TO = (
    '{{ if eq .Labels.change "operating_system" }}operating system{{ else if eq .Labels.change "go" }}Go'
    '{{ else if eq .Labels.change "modules" }}foreign modules{{ else }}build{{ end }}'
    " {{ .Labels.from }} to {{ .Labels.to }}"
)
_COUNTED = " ({{ . | value }})"
_CHANGES_OF_TARGET = _first_of(
    _asked(f"{_INFO}{{{_OF_TARGET}}}", TARGET_LABELS),
    _FROM_TO,
    _listed(_asked(f"{_LATEST}{{{_OF_TARGET}}}", TARGET_LABELS), _CHANGE_WORDS),
)
# Of the latest event only; of one that followed within minutes on that of the alert, the alert names its own part.
_CHANGES_OF_EVENT = _first_of(
    _asked(
        f"{_INFO}{{{_OF_TARGET}}} and {TARGET} {_INFO}{{{_OF_TARGET}, change=%q}}",
        f"{TARGET_LABELS} {TARGET_LABELS} $labels.change",
    ),
    _FROM_TO,
    _CHANGE_WORDS.replace(".Labels", "$labels"),
)
_OF_JOB = f"and {TARGET} {_REGRESSED}{{job=%q, signal=%q}}"
_JOB_LABELS = "$labels.job $labels.job $labels.signal"
_CHANGES_OF_JOB = _first_of(
    _asked(f"topk(5, count by (change, from, to) ({_INFO}{{job=%q}} {_OF_JOB}))", _JOB_LABELS),
    _FROM_TO + _COUNTED,
    _listed(_asked(f"count by (change) ({_LATEST}{{job=%q}} {_OF_JOB})", _JOB_LABELS), _CHANGE_WORDS + _COUNTED),
)
_SOME_TARGETS = (
    f"{{{{ range $i, $one := printf `topk(5, group by (target) ({_REGRESSED}{{job=%q, signal=%q}}))` "
    "$labels.job $labels.signal | query | sortByLabel `target` }}{{ if $i }}, {{ end }}"
    "{{ $one.Labels.target }}{{ end }}"
)
_IDENTITY = (
    f"{{{{ with printf `pprof_target_info{{{_OF_TARGET}}}` {TARGET_LABELS} | query }}}}{{{{ with . | first }}}}"
    " {{ $labels.target }} now runs {{ .Labels.program }}, build {{ .Labels.build }}, with Go"
    " {{ .Labels.go_version }} on {{ .Labels.system }}.{{ end }}{{ end }}"
)

GROUP = RuleGroup(
    "pprof-upgrade",
    (
        # Without the user's labels: if they changed within the day, a target would be here twice.
        RecordingRule(
            _RECENT,
            """
            max by (job, instance, target, change) (max_over_time(pprof_last_change_timestamp_seconds[1d]))
              > time() - <regression_watch>
            """,
        ),
        # The latest change, and the changes that came with it.
        RecordingRule(
            _LATEST,
            f"""
            {_RECENT}
              >= {TARGET} group_left () (max by (job, instance, target) ({_RECENT}) - <changes_together>)
            """,
        ),
        # One of these changes for each target, the first in a fixed order: a new Go version always means a new build.
        RecordingRule(
            _MAIN,
            f"""
            {_LATEST}{{change="operating_system"}}
              or {TARGET} {_LATEST}{{change="go"}}
              or {TARGET} {_LATEST}{{change="modules"}}
              or {TARGET} {_LATEST}{{change="binary"}}
            """,
        ),
        RecordingRule(_FEWEST, "min without (epoch) (pprof_signal_observations)"),
        # A latency is held against targets without an upgrade: what became slower on all of them by the same factor is
        # not this upgrade's. So is what follows the load, or else against the CPU time that the target uses; it is not
        # judged if neither is known. Levels are compared with those of the same age of the process, perhaps weeks ago,
        # which is more than the control covers: the larger of both counts. Without a control group, and for all other
        # signals, the control is 1.
        RecordingRule(
            _EXPECTED,
            f"""
            sum without (epoch) ({_BEFORE}) * clamp_min({_LEVEL_CONTROL} > {_LEVEL_LOAD} or {_LEVEL_LOAD}, 1)
              or sum without (epoch) ({_BEFORE}) * clamp_min({_CONTROL}, 1)
              or sum without (epoch) ({_BEFORE}) * clamp_min(pprof_signal_load_ratio, 1)
              or sum without (epoch) ({_UNLOADED})
            """,
        ),
        RecordingRule(_RISEN, f"{_NOW} > ignoring (epoch) <regression_factor> * {_EXPECTED}"),
        RecordingRule(_FALLEN, f"{_NOW} < ignoring (epoch) {_BEFORE} / <regression_factor>"),
        RecordingRule(_DIFFERENCE, f"{_NOW} - ignoring (epoch) {_BEFORE}"),
        # Current medians of the signals that are worse than before, each by its own measure. Changes by design of a Go
        # version are left out: corrected CPU totals (1.18 on Linux, 1.22 on Windows) raise the coverage, CPU profiles
        # up to 1.25 end up to 0.2 s late, and the version sets the depth of stacks (32, since 1.23 128). Mutex delays
        # rise with 1.22, and garbage collection takes more without the collector of 1.26. No latency counts while the
        # exporter lags, though its medians leave out what it measured meanwhile.
        RecordingRule(
            _WORSE,
            f"""
            (
              {_RISEN}{{signal=~"{_LATENCIES}"}} > <regression_latency_least>
                or {_RISEN}{{signal="fetch_duration_seconds:cpu"}} > <fetch_slow>
            ) unless {overloaded("10m")}
              or {_COVERAGE} < <regression_coverage_below> and {_SIGNAL} {_DIFFERENCE} < -<regression_coverage>
              or {_RISEN}{{signal=~"unsymbolized_ratio:.+"}} and {_SIGNAL} {_DIFFERENCE} > <unsymbolized>
              or {_FALLEN}{{signal=~"inlined_location_ratio:.+"}} and {_SIGNAL} {_DIFFERENCE} < -<regression_share>
              or {_RISEN}{{signal=~"truncated_stack_ratio:.+"}} and {_SIGNAL} {_DIFFERENCE} > <regression_share>
                unless {TARGET} {_LATEST}{{change="go"}}
              or (
                {_RISEN}{{signal="tick_interval_stddev_seconds"}} > <regression_jitter_least>
                  or {_RISEN}{{signal="tick_late_ratio"}} and {_SIGNAL} {_DIFFERENCE} > <regression_share>
                  or {_TICK_RATE} < <tick_slow> and {_SIGNAL} {_DIFFERENCE} < -<regression_tick_rate>
              ) and {TARGET} pprof_tick_audit_busy_processors >= <tick_busy>
              or {_RESOURCES_RISEN}
            """,
        ),
        RecordingRule(
            _REGRESSED,
            f"""
            (
              {_WORSE} and {_SIGNAL} {_FEWEST} >= <regression_observations>
                or {_WORSE}{{signal=~"tick_.+"}} and {_SIGNAL} {_FEWEST} >= <regression_audits>
            )
              * {TARGET} group_left (change) group by (job, instance, target, change) ({_MAIN})
              unless {MIXED_TARGETS}
            """,
        ),
        # One alert for each event, by its main part: until the next event, and for two hours.
        Alert(
            "PprofUpgraded",
            "F16",
            Severity.INFO,
            f"""
            max_over_time(pprof_last_change_timestamp_seconds[2h]) > time() - <upgrade_told>
              and on (job, instance, target, change) {_MAIN}
              and {TARGET} pprof_target_info
              unless {MIXED_TARGETS}
            """,
            "0s",
            '{{ if eq $labels.change "operating_system" }}Operating system of {{ $labels.target }} changed'
            '{{ else if eq $labels.change "go" }}Go version of {{ $labels.target }} changed'
            '{{ else if eq $labels.change "modules" }}Foreign modules in {{ $labels.target }} changed'
            "{{ else }}Build of {{ $labels.target }} changed{{ end }}",
            f"""
            Changed at {{{{ $value | humanizeTimestamp }}}}: {_CHANGES_OF_EVENT}.{_IDENTITY} The exporter now compares
            the signals of this target with those before the change; PprofUpgradeRegression fires if one is worse.
            """,
            keep_firing_for="10m",
        ),
        Alert(
            "PprofUpgradeRegression",
            "F20",
            Severity.WARNING,
            _REGRESSED,
            "15m",
            "{{ $labels.signal }} of {{ $labels.target }} is worse since its latest change",
            f"""
            The median of {{{{ $labels.signal }}}} of {{{{ $labels.target }}}} is {_value("$value")} now and was
            {_MEDIAN_BEFORE} before the change at {_TIME_OF_CHANGE}.{_ELSEWHERE}{_LOAD} Changed: {_CHANGES_OF_TARGET}.
            Compare a profile from now with one from before, or roll back one of these changes and check whether the
            signal recovers.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofFleetRegression",
            "F20",
            Severity.WARNING,
            f"count by (job, signal) (group by (job, signal, target) ({_REGRESSED})) >= <regression_fleet>",
            "15m",
            "{{ $labels.signal }} is worse on {{ $value }} targets of {{ $labels.job }} since their latest change",
            f"""
            The median of {{{{ $labels.signal }}}} is worse than before the latest change on {{{{ $value }}}} targets
            of {{{{ $labels.job }}}}, such as {_SOME_TARGETS}. Changed (number of targets): {_CHANGES_OF_JOB}. Stop any
            rollout in progress and check what these targets have in common.
            """,
            keep_firing_for="30m",
            many_targets=True,
        ),
    ),
)
