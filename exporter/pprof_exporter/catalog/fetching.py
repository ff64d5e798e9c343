"""Families about fetches, for each target and profile."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram, info

# From a few milliseconds (healthy) over hundreds of milliseconds (the usual complaint) to the deadline.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

UP = gauge("pprof_up", "1 if net/http/pprof answered in the latest round, 0 if not.", "target")
DOWN = info(
    "pprof_down_info", "Reason why the latest round found no index page; absent if it found one.", "target", "reason"
)
AVAILABLE = gauge(
    "pprof_profile_available",
    "1 if the index page of the target lists the profile, 0 if not; absent if no index page was read.",
    "target",
    "profile",
)
FETCHES = counter(
    "pprof_fetches_total",
    "Fetches by outcome: success, busy (another profiler was running) or failure.",
    "target",
    "profile",
    "outcome",
)
FETCH_FAILURES = counter(
    "pprof_fetch_failures_total", "Fetches without a complete reply, by reason.", "target", "profile", "reason"
)
DECODE_FAILURES = counter(
    "pprof_decode_failures_total",
    "Complete replies that could not be read as a profile, by reason.",
    "target",
    "profile",
    "reason",
)
FETCH_DURATION = histogram(
    "pprof_fetch_duration_seconds",
    "Latency of successful fetches from request to last byte, without the window of the profile.",
    "target",
    "profile",
    buckets=LATENCY_BUCKETS,
)
FETCH_PHASE = counter(
    "pprof_fetch_phase_seconds_total",
    "Time that successful fetches spent in each phase: resolve, connect, tls, first_byte (without the window), "
    "transfer.",
    "target",
    "profile",
    "phase",
)
RESPONSE_BYTES = counter(
    "pprof_response_bytes_total", "Bytes of reply bodies received, before decompression.", "target", "profile"
)
PROFILE_SIZE = gauge("pprof_profile_size_bytes", "Size of the latest profile after decompression.", "target", "profile")
LAST_SUCCESS = gauge(
    "pprof_last_success_timestamp_seconds",
    "Time at which the profile was last fetched and decoded, in Unix time.",
    "target",
    "profile",
)
SKIPPED = counter(
    "pprof_fetches_skipped_total",
    "Scheduled fetches that did not run: late (an earlier fetch was still running), backoff (after failures), "
    "target_down, guard (the profile would stop a target of this size for long), deadline (the probe would have "
    "passed Prometheus's timeout) or memory (other large replies took all memory for replies in flight).",
    "target",
    "profile",
    "reason",
)

DEFERRED = counter(
    "pprof_fetches_deferred_total",
    "Fetches deferred to a later tick: budget (profiling budget spent), slow (slow canary) or cpu (busy target).",
    "target",
    "profile",
    "reason",
)
OVERDUE = counter(
    "pprof_fetches_overdue_total",
    "Fetches that ran despite a reason to defer, because they had waited for the maximum time.",
    "target",
    "profile",
)
HANDLER_WINDOW = gauge(
    "pprof_handler_window_seconds",
    "Constant time that the handler of a profile sleeps before it answers, as learned; absent if it does not sleep. It "
    "counts as a window of the profile, not as latency.",
    "target",
    "profile",
)
PROFILING = counter(
    "pprof_profiling_seconds_total", "Time during which at least one costly fetch was running.", "target"
)
WEDGED = gauge(
    "pprof_wedged",
    "1 if the target accepts connections but never answers for its index page (nothing runs) or its goroutine profile "
    "(the world cannot be stopped), 0 if it answers. Absent if it does not accept connections.",
    "target",
    "profile",
)

FAMILIES = (
    UP,
    DOWN,
    AVAILABLE,
    FETCHES,
    FETCH_FAILURES,
    DECODE_FAILURES,
    FETCH_DURATION,
    FETCH_PHASE,
    RESPONSE_BYTES,
    PROFILE_SIZE,
    LAST_SUCCESS,
    SKIPPED,
    DEFERRED,
    OVERDUE,
    HANDLER_WINDOW,
    PROFILING,
    WEDGED,
)
