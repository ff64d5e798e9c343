"""The exporter itself, and F19: whether it keeps up, and whether it must defer its fetches."""

from __future__ import annotations

from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.rules.model import Alert, RuleGroup

_BUILD = "pprof_exporter_build_info"
_LAG = "histogram_quantile(0.99, rate(pprof_exporter_loop_lag_seconds_bucket[10m]))"
_TROUBLES = "pprof_exporter_storage_troubles_total"
_EVIDENCE = "pprof_exporter_evidence_troubles_total"
_PUSHES = "pprof_exporter_evidence_pushes_total"
_ERRORS = "pprof_exporter_internal_errors_total"
_EXHAUSTED = "pprof_exporter_exhausted_total"
_LACKS = (
    "{{ if eq $labels.resource "
    + "{{ else if eq $labels.resource ".join(f"`{resource}` }}}}: {resource.meaning}" for resource in ExhaustedResource)
    + "{{ end }}"
)
_RESOURCE_HINT = (
    "{{ if eq $labels.resource "
    + "{{ else if eq $labels.resource ".join(f"`{resource}` }}}} {resource.advice}" for resource in ExhaustedResource)
    + "{{ end }}"
)
_ENDED = (
    "{{ with printf `sum by (task) (increase(pprof_exporter_task_restarts_total{job=%q, instance=%q}[1h])) > 0`"
    " $labels.job $labels.instance | query }} Tasks that ended and were started again:"
    "{{ range $i, $one := . | sortByLabel `task` }}{{ if $i }},{{ end }} {{ $one.Labels.task }}{{ end }}.{{ end }}"
)
_REASON = (
    "{{ with printf `topk(1, sum by (reason) (increase(pprof_fetches_deferred_total"
    "{job=%q, instance=%q, target=%q}[1h])) > 0)` $labels.job $labels.instance $labels.target | query }}"
    " Most frequent reason: {{ . | first | label `reason` }}.{{ end }}"
)
_LOADED = (
    "{{ with printf `pprof_exporter_config_last_reload_success_timestamp_seconds{job=%q, instance=%q}`"
    " $labels.job $labels.instance | query }} loaded at {{ . | first | value | humanizeTimestamp }}{{ end }}"
)

GROUP = RuleGroup(
    "pprof-exporter",
    (
        # A replaced pod has another instance label: none is missing as long as the number stays the same.
        Alert(
            "PprofExporterDown",
            "",
            Severity.WARNING,
            f"""
            group by (job, instance) (max_over_time({_BUILD}[1h]))
              unless on (job, instance) {_BUILD}
              and on (job) (count by (job) ({_BUILD} offset 1h) > on (job) count by (job) ({_BUILD}))
            """,
            "5m",
            "Exporter {{ $labels.instance }} is down",
            """
            {{ $labels.instance }} of job {{ $labels.job }} was up within the last hour and is missing now; the job has
            fewer exporters than an hour ago. Its targets are not monitored and its other alerts cannot fire. Check
            whether it runs and why Prometheus cannot scrape it.
            """,
        ),
        Alert(
            "PprofExporterDown",
            "",
            Severity.CRITICAL,
            f"group by (job) (max_over_time({_BUILD}[1d])) unless on (job) {_BUILD}",
            "5m",
            "No exporter of job {{ $labels.job }} is up",
            """
            Job {{ $labels.job }} had exporters within the last day and has none now. Their targets are not monitored
            and their other alerts cannot fire. Check whether they run and why Prometheus cannot scrape them.
            """,
            many_targets=True,
        ),
        Alert(
            "PprofExporterReloadFailed",
            "",
            Severity.WARNING,
            """
            pprof_exporter_config_last_reload_successful == 0
              or label_replace(pprof_exporter_web_config_last_reload_successful == 0, "file", "web", "", "")
            """,
            "5m",
            "Exporter {{ $labels.instance }} could not reload its "
            "{{ with $labels.file }}{{ . }} {{ end }}configuration",
            f"""
            {{{{ if $labels.file }}}}The file in --web.config.file of {{{{ $labels.instance }}}} has an error. The
            previous certificates and passwords stay in use.
            {{{{- else }}}}The configuration file of {{{{ $labels.instance }}}} has an error. The
            configuration{_LOADED} stays in use.{{{{ end }}}} The log of the exporter names the error.
            """,
        ),
        Alert(
            "PprofExporterDiscoveryFailing",
            "",
            Severity.WARNING,
            """
            (
              time() - pprof_exporter_discovery_last_success_timestamp_seconds > <discovery_stale>
                or pprof_exporter_discovery_refreshes_total{outcome="success"} == 0
            )
              and on (job, instance, scrape_job, mechanism)
                increase(pprof_exporter_discovery_refreshes_total{outcome="failure"}[1h]) > 0
            """,
            "15m",
            "Exporter {{ $labels.instance }} cannot refresh the targets of {{ $labels.scrape_job }}",
            """
            {{ $labels.instance }} cannot read the {{ $labels.mechanism }} source of {{ $labels.scrape_job }}. It still
            monitors the targets that the source listed last, but no new ones. Its log says why.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofExporterLagging",
            "",
            Severity.WARNING,
            f"""
            {_LAG} > <loop_lag>
              or {_LAG} and on (job, instance) avg_over_time(pprof_exporter_overloaded[10m]) >= <overloaded_share>
            """,
            "10m",
            "Exporter {{ $labels.instance }} is overloaded",
            """
            One in a hundred timers of {{ $labels.instance }} fires {{ $value | humanizeDuration }} late or later
            (healthy: a few milliseconds), or it has been overloaded for ten minutes by its own measure, which includes
            file descriptors. The latencies that it measures include its delay, so no alert on latency of its targets
            fires meanwhile. Give it more CPU, a higher limit of open files, or fewer targets.
            """,
            keep_firing_for="15m",
        ),
        # Two in a row: a fetch may lack a descriptor or a name server for a moment, and is made again.
        Alert(
            "PprofExporterExhausted",
            "",
            Severity.WARNING,
            f"increase({_EXHAUSTED}[5m]) > 0",
            "10m",
            "Exporter {{ $labels.instance }} itself has a problem: {{ $labels.resource }}",
            f"""
            {{{{ $labels.instance }}}} could not do {{{{ $value | printf "%.0f" }}}} operations in the last five
            minutes{_LACKS}.{_RESOURCE_HINT} Its targets are not judged meanwhile: what is shown of them may be out of
            date, and no alert on them fires for it. The log of the exporter has the details.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofExporterInternalErrors",
            "",
            Severity.WARNING,
            f"""
            increase({_ERRORS}[1h]) > 0
              or ({_ERRORS} > 0 unless on (job, instance) {_ERRORS} offset 1h)
            """,
            "0s",
            "Exporter {{ $labels.instance }} has internal errors",
            f"""
            Internal errors of {{{{ $labels.instance }}}} in the last hour: {{{{ $value | printf "%.0f" }}}}.{_ENDED}
            Its log has a traceback of each kind, with the target. Please report it as a bug of the exporter.
            """,
        ),
        Alert(
            "PprofExporterDeferring",
            "F19",
            Severity.INFO,
            "sum without (profile) (increase(pprof_fetches_overdue_total[1h])) > <overdue>",
            "15m",
            "Fetches from {{ $labels.target }} are deferred to the limit",
            f"""
            {{{{ $value | printf "%.0f" }}}} fetches from {{{{ $labels.target }}}} in the last hour were deferred for
            the longest time allowed and then ran anyway.{_REASON} Lengthen the profile intervals or shorten the
            windows.
            """,
            keep_firing_for="30m",
        ),
        # Quick fetches and fetches with a window have slots of their own and are counted together, so the number alone
        # does not prove that any fetch had to wait.
        Alert(
            "PprofExporterSaturated",
            "",
            Severity.WARNING,
            """
            avg_over_time(pprof_exporter_fetches_in_flight[15m]) / pprof_exporter_fetches_in_flight_limit > <saturated>
              and on (job, instance)
                sum by (job, instance) (increase(pprof_fetches_skipped_total{reason="late"}[15m])) > 0
            """,
            "15m",
            "Exporter {{ $labels.instance }} has too few fetch slots",
            """
            {{ $labels.instance }} used {{ $value | humanizePercentage }} of its fetch slots in the last quarter of an
            hour (fetches with a window have as many again), and skips fetches because earlier ones still wait or run.
            Raise the limit if it has CPU to spare, or divide its targets among more exporters.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofExporterStorageTrouble",
            "",
            Severity.WARNING,
            f"""
            label_replace(pprof_exporter_storage_persistent == 0, "trouble", "unusable", "", "")
              or increase({_TROUBLES}[1h]) > <storage_troubles>
              or increase({_TROUBLES}{{trouble="corrupt"}}[1h]) > 0
              or ({_TROUBLES}{{trouble="corrupt"}} > 0 unless on (job, instance, trouble) {_TROUBLES} offset 1h)
            """,
            "5m",
            "Exporter {{ $labels.instance }} has a problem with its storage file: {{ $labels.trouble }}",
            """
            The file in --storage.path of {{ $labels.instance }}
            {{ if eq $labels.trouble "unusable" }}cannot be used. A restart would lose the statistics that upgrades are
            compared by.
            {{- else if eq $labels.trouble "corrupt" }}was corrupt within the last hour. Data that could not be read is
            lost, or is in a file that was moved aside.
            {{- else }}could not be used at {{ $value | printf "%.0f" }} attempts in the last hour
            ({{ $labels.trouble }}). New data waits in memory, and a restart would lose it.{{ end }} The log of the
            exporter says why.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofExporterEvidenceTrouble",
            "",
            Severity.WARNING,
            f"""
            increase({_EVIDENCE}[1h]) > 0
              or ({_EVIDENCE} > 0 unless on (job, instance, trouble) {_EVIDENCE} offset 1h)
              or label_replace(
                sum without (outcome) (increase({_PUSHES}{{outcome!="success"}}[1h]))
                  > sum without (outcome) (increase({_PUSHES}{{outcome="success"}}[1h])),
                "trouble", "push", "", ""
              )
            """,
            "0s",
            "Exporter {{ $labels.instance }} has a problem with saved profiles: {{ $labels.trouble }}",
            """
            {{ if eq $labels.trouble "push" }}{{ $value | printf "%.0f" }} profiles that {{ $labels.instance }} should
            have pushed to another store in the last hour were not accepted, more than were. They are still on
            /evidence. {{- else if eq $labels.trouble "corrupt" }}A finding on the disk of {{ $labels.instance }} was
            damaged. The finding or the profile is not shown; a damaged finding was moved aside.
            {{- else }}The folder in which {{ $labels.instance }} saves the profiles of findings could not be used
            within the last hour ({{ $labels.trouble }}). Later findings may have no saved profiles.
            {{- end }} The log of the exporter says why.
            """,
            keep_firing_for="15m",
        ),
    ),
)
