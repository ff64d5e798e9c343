"""Families that speak of the exporter itself."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram, info

BUILD = info(
    "pprof_exporter_build_info", "Version of the exporter and of the Python that runs it.", "version", "python"
)
TARGETS = gauge("pprof_exporter_targets", "Targets that the exporter scrapes.")
IN_FLIGHT = gauge("pprof_exporter_fetches_in_flight", "Fetches under way now.")
IN_FLIGHT_LIMIT = gauge(
    "pprof_exporter_fetches_in_flight_limit",
    "Fetches that may be under way at once; those with a window have as many places again.",
)
BUDGET = gauge(
    "pprof_exporter_profiling_budget_ratio", "Share of its time for which a target may be profiled at the most."
)
LOOP_LAG = histogram(
    "pprof_exporter_loop_lag_seconds",
    "How much later than asked the event loop woke a timer; large values mean that the exporter is overloaded.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
INTERNAL_ERRORS = counter(
    "pprof_exporter_internal_errors_total",
    "Faults of the exporter itself, each logged with its traceback; please report them.",
)
CONFIG_SUCCESSFUL = gauge(
    "pprof_exporter_config_last_reload_successful", "1 if the configuration in the file is the one in use, 0 if not."
)
CONFIG_TIMESTAMP = gauge(
    "pprof_exporter_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was loaded, in Unix time.",
)
WEB_CONFIG_SUCCESSFUL = gauge(
    "pprof_exporter_web_config_last_reload_successful",
    "1 if the file in --web.config.file is in use as it is, 0 if it has a fault, so that what it said before is used. "
    "Absent without that flag.",
)
STORAGE_PERSISTENT = gauge(
    "pprof_exporter_storage_persistent",
    "1 if the statistics of signals outlive a restart, 0 if the file in --storage.path cannot be used now. Absent "
    "without that flag.",
)
STORAGE_TROUBLES = counter(
    "pprof_exporter_storage_troubles_total", "What went wrong with the file in --storage.path, by kind.", "trouble"
)
DISCOVERED = gauge(
    "pprof_exporter_discovered_targets",
    "Targets of a job of the configuration file, written down or discovered.",
    "scrape_job",
)
REFRESHES = counter(
    "pprof_exporter_discovery_refreshes_total",
    "Times that a source of targets was read, by how it went. After a failure the last good list stays.",
    "scrape_job",
    "mechanism",
    "outcome",
)
DISCOVERY_SUCCESS = gauge(
    "pprof_exporter_discovery_last_success_timestamp_seconds",
    "When a source of targets was last read with success, in Unix time.",
    "scrape_job",
    "mechanism",
)
REJECTED = gauge(
    "pprof_exporter_rejected_targets",
    "Discovered targets that are not watched now: their address is invalid, or their name is that of another.",
    "reason",
)
PROBES = counter(
    "pprof_exporter_probes_total",
    "Requests for /probe by how they ended: up, down, refused (a wrong request, or a target that no probe may ask), "
    "overloaded, or error (a fault of the exporter).",
    "result",
)
PROBED_TARGETS = gauge(
    "pprof_exporter_probed_targets", "Targets of probes whose counters are kept until the next probe of them."
)
EVIDENCE_BYTES = gauge(
    "pprof_exporter_evidence_bytes", "Disk space that kept profiles take. Absent while no profiles are kept."
)
EVIDENCE_SAVED = counter(
    "pprof_exporter_evidence_saved_total", "Findings whose profiles were kept, by what asked for it.", "origin"
)
EVIDENCE_DROPPED = counter(
    "pprof_exporter_evidence_dropped_total", "Findings whose profiles were not kept, by reason.", "reason"
)
EVIDENCE_TROUBLES = counter(
    "pprof_exporter_evidence_troubles_total", "What went wrong with the folder of kept profiles, by kind.", "trouble"
)
EVIDENCE_PUSHES = counter(
    "pprof_exporter_evidence_pushes_total",
    "Kept profiles that another store was to get too, by how it went. Absent without evidence.push.",
    "outcome",
)

FAMILIES = (
    BUILD,
    TARGETS,
    IN_FLIGHT,
    IN_FLIGHT_LIMIT,
    BUDGET,
    LOOP_LAG,
    INTERNAL_ERRORS,
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
