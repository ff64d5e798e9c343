"""The exporter itself, and F19: whether it keeps up, and whether targets give it room."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RuleGroup, Severity

_BUILD = "pprof_exporter_build_info"
_TROUBLES = "pprof_exporter_storage_troubles_total"
_EVIDENCE = "pprof_exporter_evidence_troubles_total"
_PUSHES = "pprof_exporter_evidence_pushes_total"
_ERRORS = "pprof_exporter_internal_errors_total"
_REASON = (
    "{{ with printf `topk(1, sum by (reason) (increase(pprof_fetches_deferred_total"
    "{job=%q, instance=%q, target=%q}[1h])) > 0)` $labels.job $labels.instance $labels.target | query }}"
    " Most often the reason was {{ . | first | label `reason` }}.{{ end }}"
)
_LOADED = (
    "{{ with printf `pprof_exporter_config_last_reload_success_timestamp_seconds{job=%q, instance=%q}`"
    " $labels.job $labels.instance | query }} of {{ . | first | value | humanizeTimestamp }}{{ end }}"
)

GROUP = RuleGroup(
    "pprof-exporter",
    (
        # A pod that was replaced has another instance: as long as there are as many as before, none is missing.
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
            "The exporter {{ $labels.instance }} is gone",
            """
            {{ $labels.instance }} of job {{ $labels.job }} was there within the last hour and is not now, and fewer
            exporters are left than an hour ago. Nobody watches its targets, and none of its other alerts can fire. See
            whether it runs, and why Prometheus cannot scrape it.
            """,
        ),
        Alert(
            "PprofExporterDown",
            "",
            Severity.CRITICAL,
            f"group by (job) (max_over_time({_BUILD}[1d])) unless on (job) {_BUILD}",
            "5m",
            "No exporter of job {{ $labels.job }} is left",
            """
            Exporters of job {{ $labels.job }} were there within the last day, and now there is none: nobody watches
            their targets, and no other alert of theirs can fire. See whether they run, and why Prometheus cannot scrape
            them.
            """,
            over_many=True,
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
            "The exporter {{ $labels.instance }} could not load its "
            "{{ with $labels.file }}{{ . }} {{ end }}configuration",
            f"""
            {{{{ if $labels.file }}}}The file in --web.config.file of {{{{ $labels.instance }}}} has a fault, so that
            the certificates and passwords of before stay in use.
            {{{{- else }}}}The file of {{{{ $labels.instance }}}} has a fault, so that the configuration{_LOADED} stays
            in use.{{{{ end }}}} Its log says what is wrong.
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
            "The exporter {{ $labels.instance }} finds no new targets of {{ $labels.scrape_job }}",
            """
            The {{ $labels.mechanism }} source of {{ $labels.scrape_job }} cannot be read by {{ $labels.instance }}. The
            targets that it listed last are still watched; new ones are not. The log says why.
            """,
            keep_firing_for="15m",
        ),
        Alert(
            "PprofExporterLagging",
            "",
            Severity.WARNING,
            "histogram_quantile(0.99, rate(pprof_exporter_loop_lag_seconds_bucket[10m])) > <loop_lag>",
            "10m",
            "The exporter {{ $labels.instance }} is overloaded",
            """
            One timer in a hundred of {{ $labels.instance }} comes {{ $value | humanizeDuration }} late or later
            (healthy: a few milliseconds). Latencies that it measures now contain its own. Give it more CPU, or fewer
            targets.
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
            "The exporter {{ $labels.instance }} has faults of its own",
            """
            Internal errors of {{ $labels.instance }} in the last hour: {{ $value | printf "%.0f" }}. Its log has a
            traceback of each, with the target: please report it.
            """,
        ),
        Alert(
            "PprofExporterDeferring",
            "F19",
            Severity.INFO,
            "sum without (profile) (increase(pprof_fetches_overdue_total[1h])) > <overdue>",
            "15m",
            "{{ $labels.target }} hardly leaves room for its profiles",
            f"""
            {{{{ $value | printf "%.0f" }}}} fetches of {{{{ $labels.target }}}} in the last hour were put off for the
            longest time allowed, and then made all the same.{_REASON} Make its profiles less often, or their windows
            shorter.
            """,
            keep_firing_for="30m",
        ),
        # Quick fetches and windows have places of their own and are counted together, so that the number alone does not
        # prove that any fetch had to wait.
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
            "Fetches of the exporter {{ $labels.instance }} wait for each other",
            """
            {{ $labels.instance }} has used {{ $value | humanizePercentage }} of the places for fetches (those with a
            window have as many again), and leaves some out since earlier ones still wait or run. Raise the limit if it
            has CPU to spare, or share its targets among more exporters.
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
            "The exporter {{ $labels.instance }} has trouble with its file: {{ $labels.trouble }}",
            """
            The file in --storage.path of {{ $labels.instance }}
            {{ if eq $labels.trouble "unusable" }}cannot be used, so that a restart would lose the statistics by which
            upgrades are judged.
            {{- else if eq $labels.trouble "corrupt" }}was corrupt within the last hour. What could not be read is lost,
            or in a file that was moved aside.
            {{- else }}was {{ $labels.trouble }} at {{ $value | printf "%.0f" }} attempts of the last hour. What is new
            waits in memory, and a restart would lose it.{{ end }} Its log says why.
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
            "The exporter {{ $labels.instance }} has trouble with its evidence: {{ $labels.trouble }}",
            """
            {{ if eq $labels.trouble "push" }}Of the profiles that {{ $labels.instance }} was to give to another store
            in the last hour, {{ $value | printf "%.0f" }} were not taken, more than were. They are still on /evidence.
            {{- else if eq $labels.trouble "corrupt" }}A finding on the disk of {{ $labels.instance }} was not as it
            was written, and was removed.
            {{- else }}The folder in which {{ $labels.instance }} keeps the profiles of findings was
            {{ $labels.trouble }} within the last hour: what was found since may have no profiles to look at.
            {{- end }} Its log says why.
            """,
            keep_firing_for="15m",
        ),
    ),
)
