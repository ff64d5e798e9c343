"""The dashboard of the exporter itself: its load, and the fetches that it skips or defers."""

from __future__ import annotations

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.dashboards.model import ZERO_OR_WARNING, Colour, ColourSteps, Dashboard, Query, Row, bad_above
from pprof_exporter.dashboards.panels import bars, lines, stat
from pprof_exporter.dashboards.variables import EXPORTER_JOB, EXPORTERS, INSTANCE

_RATE = "$__rate_interval"
_STALE = THRESHOLDS_BY_NAME["discovery_stale"].value
_TROUBLES = "pprof_exporter_evidence_troubles_total"
_LAG = "pprof_exporter_loop_lag_seconds_bucket"
_PRESENT = ColourSteps(Colour.CRITICAL, ((1, Colour.GOOD),))


DASHBOARD = Dashboard(
    "pprof-exporter",
    "pprof: exporter",
    "The exporters themselves: whether they keep up, and what they spare their targets.",
    (EXPORTER_JOB, INSTANCE),
    (
        Row(
            "Is it well?",
            (
                stat(
                    "Exporters",
                    "Exporters that Prometheus scrapes now.",
                    f"count(pprof_exporter_build_info{{{EXPORTERS}}}) or vector(0)",
                    limits=_PRESENT,
                ),
                stat("Targets", "Targets that they watch.", f"sum(pprof_exporter_targets{{{EXPORTERS}}})"),
                stat(
                    "Loop lag, p99",
                    "How late timers come. Beyond a quarter of a second the latencies that are measured become the "
                    "exporter's own: give it more CPU.",
                    f"histogram_quantile(0.99, sum by (le) (rate({_LAG}{{{EXPORTERS}}}[10m])))",
                    unit="s",
                    limits=bad_above("loop_lag"),
                ),
                stat(
                    "Configuration",
                    "Exporters whose configuration file could not be loaded, and sources of targets that could not be "
                    "read for half an hour: the log says why.",
                    f"(count(pprof_exporter_config_last_reload_successful{{{EXPORTERS}}} == 0) or vector(0)) + "
                    f"(count(pprof_exporter_web_config_last_reload_successful{{{EXPORTERS}}} == 0) or vector(0)) + "
                    f"(count(time() - pprof_exporter_discovery_last_success_timestamp_seconds{{{EXPORTERS}}} > "
                    f"{_STALE:g}) or vector(0))",
                    limits=ZERO_OR_WARNING,
                ),
                stat(
                    "Storage",
                    "Exporters that cannot keep their statistics over a restart, and those that could not keep the "
                    "profiles of a finding within the last hour: the log says why.",
                    f"(count(pprof_exporter_storage_persistent{{{EXPORTERS}}} == 0) or vector(0)) + "
                    f"(count(sum by (job, instance) (increase({_TROUBLES}{{{EXPORTERS}}}[1h])) > 0) or vector(0))",
                    limits=ZERO_OR_WARNING,
                ),
                stat(
                    "Faults of its own",
                    "Internal errors within the last hour, tasks that ended and were started again, and what failed "
                    "for lack of descriptors, ports, memory, threads, name server or proxy. The log has the details.",
                    f"(sum(increase(pprof_exporter_internal_errors_total{{{EXPORTERS}}}[1h])) or vector(0)) + "
                    f"(sum(increase(pprof_exporter_task_restarts_total{{{EXPORTERS}}}[1h])) or vector(0)) + "
                    f"(sum(increase(pprof_exporter_exhausted_total{{{EXPORTERS}}}[1h])) or vector(0))",
                    limits=ZERO_OR_WARNING,
                ),
            ),
        ),
        Row(
            "How does fetching go?",
            (
                lines(
                    "Fetches by outcome",
                    "busy is another profiler at work in the target, and not a fault of anybody.",
                    Query(
                        f'sum(rate(pprof_fetches_total{{outcome="success",{EXPORTERS}}}[{_RATE}]))',
                        "success",
                        colour=Colour.NOW,
                    ),
                    Query(
                        f'sum(rate(pprof_fetches_total{{outcome="busy",{EXPORTERS}}}[{_RATE}]))',
                        "busy",
                        colour=Colour.ELSEWHERE,
                    ),
                    Query(
                        f'sum(rate(pprof_fetches_total{{outcome="failure",{EXPORTERS}}}[{_RATE}]))',
                        "failure",
                        colour=Colour.CRITICAL,
                    ),
                    unit="reqps",
                    width=6,
                ),
                lines(
                    "Under way, and how many may be",
                    "Fetches under way against the limit. At the limit they wait for each other: share the targets.",
                    Query(
                        f"sum by (instance) (pprof_exporter_fetches_in_flight{{{EXPORTERS}}})",
                        "{{instance}}",
                        colour=Colour.NOW,
                    ),
                    Query(
                        f"max(pprof_exporter_fetches_in_flight_limit{{{EXPORTERS}}})", "limit", colour=Colour.WARNING
                    ),
                    width=6,
                ),
                lines(
                    "Received",
                    "Bytes of profiles a second, as they came over the wire.",
                    Query(
                        f"sum by (instance) (rate(pprof_response_bytes_total{{{EXPORTERS}}}[{_RATE}]))", "{{instance}}"
                    ),
                    unit="Bps",
                    width=6,
                ),
                lines(
                    "Overloaded",
                    "Exporters whose timers are late or whose file descriptors run out. No alert on latency of their "
                    "targets fires meanwhile. Zero is healthy.",
                    Query(f"sum(pprof_exporter_overloaded{{{EXPORTERS}}}) or vector(0)", "exporters"),
                    width=6,
                    shades=Colour.WARNING,
                ),
            ),
        ),
        Row(
            "What does it spare its targets?",
            (
                lines(
                    "Left out, by reason",
                    "Fetches that were due and not made. backoff and target_down follow failures; late means that "
                    "there is too much to do.",
                    Query(
                        f"sum by (reason) (rate(pprof_fetches_skipped_total{{{EXPORTERS}}}[{_RATE}])) or vector(0)",
                        "{{reason}}",
                    ),
                    unit="reqps",
                    width=8,
                ),
                lines(
                    "Put off, by reason",
                    "Fetches that wait for a better moment: budget, a slow canary, a busy processor. Much of it at "
                    "all times: make profiles less often.",
                    Query(
                        f"sum by (reason) (rate(pprof_fetches_deferred_total{{{EXPORTERS}}}[{_RATE}])) or vector(0)",
                        "{{reason}}",
                    ),
                    unit="reqps",
                    width=8,
                ),
                lines(
                    "Time spent profiling, most ten",
                    "Share of its time that a target is being profiled. The line is the budget.",
                    Query(
                        f"topk(10, sum by (target) (rate(pprof_profiling_seconds_total{{{EXPORTERS}}}[30m])))",
                        "{{target}}",
                    ),
                    Query(
                        f"max(pprof_exporter_profiling_budget_ratio{{{EXPORTERS}}})", "budget", colour=Colour.WARNING
                    ),
                    unit="percentunit",
                    width=8,
                ),
            ),
        ),
        Row(
            "What evidence does it keep?",
            (
                lines(
                    "Findings, an hour",
                    "Findings whose profiles were kept, and those whose were not; what was left out since the same was "
                    "kept a short while ago is neither. Another store may be given what is kept.",
                    Query(
                        f"sum(increase(pprof_exporter_evidence_saved_total{{{EXPORTERS}}}[1h]))",
                        "kept",
                        colour=Colour.NOW,
                    ),
                    Query(
                        f'sum(increase(pprof_exporter_evidence_dropped_total{{reason!="interval",{EXPORTERS}}}[1h]))',
                        "not kept",
                        colour=Colour.CRITICAL,
                    ),
                    Query(
                        f'sum(increase(pprof_exporter_evidence_pushes_total{{outcome!="success",{EXPORTERS}}}[1h])) '
                        "or vector(0)",
                        "profiles not taken by another store",
                        colour=Colour.WARNING,
                    ),
                    width=16,
                ),
                lines(
                    "Disk space",
                    "What kept profiles take. When the bound is reached, the target that holds the most gives up its "
                    "oldest finding.",
                    Query(f"sum by (instance) (pprof_exporter_evidence_bytes{{{EXPORTERS}}})", "{{instance}}"),
                    unit="bytes",
                    width=8,
                ),
            ),
        ),
        Row(
            "What does it use?",
            (
                lines(
                    "CPU",
                    "Processors that each exporter uses.",
                    Query(
                        f"sum by (instance) (rate(process_cpu_seconds_total{{{EXPORTERS}}}[{_RATE}]))", "{{instance}}"
                    ),
                    width=8,
                ),
                lines(
                    "Memory",
                    "Resident memory of each exporter. It follows the size of profiles, and is bounded by the limits.",
                    Query(f"sum by (instance) (process_resident_memory_bytes{{{EXPORTERS}}})", "{{instance}}"),
                    unit="bytes",
                    width=8,
                ),
                bars(
                    "Versions",
                    "Exporters by version, by the Python that runs them, and by their reader of profiles: the native "
                    "one is compiled.",
                    Query(
                        f"count by (version, python, reader) (pprof_exporter_build_info{{{EXPORTERS}}})",
                        "{{version}} on {{python}}, {{reader}} reader",
                        instant=True,
                    ),
                    width=8,
                ),
            ),
        ),
    ),
)
