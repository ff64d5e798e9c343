"""Families that say how fetching went, for each target and profile."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, histogram, info

# From "a few milliseconds" (healthy) over "hundreds of milliseconds" (the complaint) to the deadline.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

UP = gauge("pprof_up", "1 if net/http/pprof answered the latest round of this target, 0 if not.", "target")
DOWN = info(
    "pprof_down_info", "Why the latest round found no index page; absent while one is found.", "target", "reason"
)
AVAILABLE = gauge(
    "pprof_profile_available",
    "1 if the index page of the target lists this profile, 0 if it does not. Absent while no index page was read.",
    "target",
    "profile",
)
FETCHES = counter(
    "pprof_fetches_total",
    "Fetches by how they ended: success, busy (another profiler was at work) or failure.",
    "target",
    "profile",
    "outcome",
)
FETCH_FAILURES = counter(
    "pprof_fetch_failures_total", "Fetches that brought no complete reply, by reason.", "target", "profile", "reason"
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
    "Time from request to last byte of successful fetches, less the window that the profile was asked to run.",
    "target",
    "profile",
    buckets=LATENCY_BUCKETS,
)
FETCH_PHASE = counter(
    "pprof_fetch_phase_seconds_total",
    "Time that successful fetches spent in each phase: resolve, connect, tls, first_byte (less the window), transfer.",
    "target",
    "profile",
    "phase",
)
RESPONSE_BYTES = counter(
    "pprof_response_bytes_total", "Bytes of reply bodies as they came over the wire.", "target", "profile"
)
PROFILE_SIZE = gauge("pprof_profile_size_bytes", "Size of the latest profile, inflated.", "target", "profile")
LAST_SUCCESS = gauge(
    "pprof_last_success_timestamp_seconds",
    "When this profile was last fetched and decoded, in Unix time.",
    "target",
    "profile",
)
SKIPPED = counter(
    "pprof_fetches_skipped_total",
    "Planned fetches that were not made: late (an earlier one still ran), backoff (after failures), target_down, "
    "guard (the target is so large now that making the profile would stop it for long), or deadline (of a probe: "
    "Prometheus would have given up first).",
    "target",
    "profile",
    "reason",
)

DEFERRED = counter(
    "pprof_fetches_deferred_total",
    "Fetches put off to a later tick: budget (the target was profiled enough), slow (its canary), cpu (it is busy).",
    "target",
    "profile",
    "reason",
)
OVERDUE = counter(
    "pprof_fetches_overdue_total",
    "Fetches made although they would have been deferred, since they had been for too long.",
    "target",
    "profile",
)
PROFILING = counter(
    "pprof_profiling_seconds_total",
    "Time during which at least one fetch that costs the target something was under way.",
    "target",
)
WEDGED = gauge(
    "pprof_wedged",
    "1 if the target accepts connections and never answers for its index page (nothing runs) or its goroutines "
    "(the world cannot be stopped), 0 if it answers. Absent while it cannot be connected to.",
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
    PROFILING,
    WEDGED,
)
