"""Families about the exporter itself."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram, info

BUILD = info(
    "pprof_exporter_build_info",
    "Version of the exporter and of the Python that runs it, and its reader of profiles: native is compiled, python is "
    "slower and gives the same results.",
    "version",
    "python",
    "reader",
)
TARGETS = gauge("pprof_exporter_targets", "Targets that the exporter scrapes.")
IN_FLIGHT = gauge("pprof_exporter_fetches_in_flight", "Fetches in progress.")
IN_FLIGHT_LIMIT = gauge(
    "pprof_exporter_fetches_in_flight_limit",
    "Maximum number of concurrent fetches; fetches with a window have a separate limit of the same size.",
)
REPLY_BYTES = gauge(
    "pprof_exporter_reply_bytes_in_flight", "Memory of replies that are received or inflated, beyond 256 KiB of each."
)
REPLY_BYTES_LIMIT = gauge(
    "pprof_exporter_reply_bytes_in_flight_limit",
    "Maximum of pprof_exporter_reply_bytes_in_flight, as limits.bytes_in_flight sets it.",
)
REPLY_WAIT = counter(
    "pprof_exporter_reply_wait_seconds_total",
    "Time for which replies waited for memory, added up; no latency of a target includes it.",
)
BUDGET = gauge("pprof_exporter_profiling_budget_ratio", "Maximum share of time for which a target may be profiled.")
LOOP_LAG = histogram(
    "pprof_exporter_loop_lag_seconds",
    "Delay of timers in the event loop; large values mean that the exporter is overloaded.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
OVERLOADED = gauge(
    "pprof_exporter_overloaded",
    "1 while timers of the event loop are late or file descriptors run out: latencies are neither judged nor added to "
    "the statistics of signals.",
)
INTERNAL_ERRORS = counter(
    "pprof_exporter_internal_errors_total",
    "Internal errors of the exporter, logged with their tracebacks, equal ones once; please report them.",
)
TASK_RESTARTS = counter(
    "pprof_exporter_task_restarts_total",
    "Background tasks of the exporter that an error ended and that were started again, by task.",
    "task",
)
EXHAUSTED = counter(
    "pprof_exporter_exhausted_total",
    "Operations that failed because the exporter itself lacked something, by resource. No target is judged by them.",
    "resource",
)
CONFIG_SUCCESSFUL = gauge(
    "pprof_exporter_config_last_reload_successful",
    "1 if the configuration file is in use as it is, 0 if its last reload failed.",
)
CONFIG_TIMESTAMP = gauge(
    "pprof_exporter_config_last_reload_success_timestamp_seconds",
    "Time at which the configuration in use was loaded, in Unix time.",
)
WEB_CONFIG_SUCCESSFUL = gauge(
    "pprof_exporter_web_config_last_reload_successful",
    "1 if the file in --web.config.file is in use as it is, 0 if it is invalid and its previous content is in use. "
    "Absent without that flag.",
)
STORAGE_PERSISTENT = gauge(
    "pprof_exporter_storage_persistent",
    "1 if the statistics of signals survive a restart, 0 if the file in --storage.path cannot be used. Absent without "
    "that flag.",
)
STORAGE_TROUBLES = counter(
    "pprof_exporter_storage_troubles_total", "Problems with the file in --storage.path, by kind.", "trouble"
)
DISCOVERED = gauge(
    "pprof_exporter_discovered_targets",
    "Targets of a job in the configuration file, static or discovered.",
    "scrape_job",
)
REFRESHES = counter(
    "pprof_exporter_discovery_refreshes_total",
    "Reads of a source of targets, by outcome. A failure keeps the last good list.",
    "scrape_job",
    "mechanism",
    "outcome",
)
DISCOVERY_SUCCESS = gauge(
    "pprof_exporter_discovery_last_success_timestamp_seconds",
    "Time at which a source of targets was last read successfully, in Unix time.",
    "scrape_job",
    "mechanism",
)
REJECTED = gauge(
    "pprof_exporter_rejected_targets",
    "Discovered targets that are not scraped, because their address is invalid or their name is taken.",
    "reason",
)
PROBES = counter(
    "pprof_exporter_probes_total",
    "Requests for /probe by result: up, down, refused (invalid request or forbidden target), overloaded, or error "
    "(internal error).",
    "result",
)
PROBED_TARGETS = gauge(
    "pprof_exporter_probed_targets", "Probed targets whose counters are kept until their next probe."
)
EVIDENCE_BYTES = gauge(
    "pprof_exporter_evidence_bytes", "Disk space used by saved profiles. Absent if no profiles are saved."
)
EVIDENCE_SAVED = counter(
    "pprof_exporter_evidence_saved_total", "Findings whose profiles were saved, by what requested it.", "origin"
)
EVIDENCE_DROPPED = counter(
    "pprof_exporter_evidence_dropped_total", "Findings whose profiles were not saved, by reason.", "reason"
)
EVIDENCE_TROUBLES = counter(
    "pprof_exporter_evidence_troubles_total", "Problems with the folder of saved profiles, by kind.", "trouble"
)
EVIDENCE_PUSHES = counter(
    "pprof_exporter_evidence_pushes_total",
    "Pushes of saved profiles to another store, by outcome. Absent without evidence.push.",
    "outcome",
)

FAMILIES = (
    BUILD,
    TARGETS,
    IN_FLIGHT,
    IN_FLIGHT_LIMIT,
    REPLY_BYTES,
    REPLY_BYTES_LIMIT,
    REPLY_WAIT,
    BUDGET,
    LOOP_LAG,
    OVERLOADED,
    INTERNAL_ERRORS,
    TASK_RESTARTS,
    EXHAUSTED,
    CONFIG_SUCCESSFUL,
    CONFIG_TIMESTAMP,
    WEB_CONFIG_SUCCESSFUL,
    STORAGE_PERSISTENT,
    STORAGE_TROUBLES,
    DISCOVERED,
    REFRESHES,
    DISCOVERY_SUCCESS,
    REJECTED,
    PROBES,
    PROBED_TARGETS,
    EVIDENCE_BYTES,
    EVIDENCE_SAVED,
    EVIDENCE_DROPPED,
    EVIDENCE_TROUBLES,
    EVIDENCE_PUSHES,
)
