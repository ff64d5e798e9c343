"""What a scrape says is wrong with profiling: one name per signal that is past its threshold.

A signal that is unknown or absent is not bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.lab.exporter import Scrape

PERIOD = 0.01
"""Seconds between two ticks of Go's sampling clock."""

_SLOW = 0.2
_SLOW_CPU = 2.0
"""What a CPU profile may take on top of its window: up to Go 1.25, stopping takes 0.2 s."""


def bad(now: Scrape) -> set[str]:
    """Names of everything that is bad: of one profile as `signal:profile`, with a reason as `signal:reason`."""
    return {name for name, holds in _SIGNALS.items() if holds(now)} | {name for find in _NAMED for name in find(now)}


def _above(now: Scrape, family: str, limit: float, **labels: str) -> bool:
    return any(value > limit for _, value in now.find(family, **labels))


def _share(now: Scrape, part: str, whole: str) -> float:
    total = sum(value for _, value in now.find(whole))
    return sum(value for _, value in now.find(part)) / total if total else 0


def _cpu_coverage(now: Scrape) -> bool:
    coverage, rate = now.value("pprof_cpu_coverage_ratio"), now.value("pprof_cpu_effective_rate_hertz")
    return (coverage is not None and coverage < 0.8) or (rate is not None and rate < 0.8 / PERIOD)


def _tick_jitter(now: Scrape) -> bool:
    return _busy(now) and (
        _above(now, "pprof_tick_interval_statistic_seconds", 0.5 * PERIOD, statistic="stddev")
        or _above(now, "pprof_tick_late_ratio", 0.2)
    )


def _tick_rate(now: Scrape) -> bool:
    return _busy(now) and any(rate < 1 / (1.4 * PERIOD) for _, rate in now.find("pprof_tick_rate_hertz"))


def _busy(now: Scrape) -> bool:
    """Whether at least one processor was busy throughout the audit: else ticks without a sample are natural."""
    return (now.value("pprof_tick_audit_busy_processors") or 0) >= 0.9


def _perturbed(now: Scrape) -> bool:
    """The canary takes much longer while a CPU profile runs than at rest."""
    means = {}
    for labels, count in now.find("pprof_canary_duration_seconds_count"):
        if count:
            means[labels["during"]] = (now.value("pprof_canary_duration_seconds_sum", **labels) or 0) / count
    rest, profile = means.get("rest"), means.get("profile")
    return rest is not None and profile is not None and profile > max(4 * rest, rest + 0.1)


def _window_error(now: Scrape) -> bool:
    return any(not -0.05 <= value <= 1 for _, value in now.find("pprof_profile_window_error_seconds"))


_SIGNALS: dict[str, Callable[[Scrape], bool]] = {
    "down": lambda now: now.value("pprof_up") == 0,
    "cpu_coverage": _cpu_coverage,
    "cpu_lost": lambda now: _share(now, "pprof_cpu_lost_samples_total", "pprof_cpu_samples_total") > 0.01,
    "opaque": lambda now: _share(now, "pprof_cpu_opaque_samples_total", "pprof_cpu_samples_total") > 0.2,
    "tick_jitter": _tick_jitter,
    "tick_rate": _tick_rate,
    "clock_skew": lambda now: any(abs(value) > 2 for _, value in now.find("pprof_profile_clock_skew_seconds")),
    "clock_regression": lambda now: _above(now, "pprof_profile_clock_regressions_total", 0),
    "window_error": _window_error,
    "perturbed": _perturbed,
    "busy": lambda now: _above(now, "pprof_fetches_total", 0, outcome="busy"),
    "leaked": lambda now: _above(now, "pprof_leaked_goroutines", 0),
    "foreign_module": lambda now: _above(now, "pprof_foreign_module_info", 0),
    "wedged": lambda now: _above(now, "pprof_wedged", 0),
    "audit_failed": lambda now: _above(now, "pprof_tick_audits_total", 0, outcome="failure"),
    "canary_failed": lambda now: _above(now, "pprof_canary_failures_total", 0),
    "exporter": lambda now: _above(now, "pprof_exporter_internal_errors_total", 0),
}


def _symbols(now: Scrape) -> Iterator[str]:
    return _by(now, "symbols", "pprof_unsymbolized_ratio", "profile", above=0.01)


def _truncated(now: Scrape) -> Iterator[str]:
    return _by(now, "truncated", "pprof_truncated_stack_ratio", "profile", above=0.1)


def _fetch_failed(now: Scrape) -> Iterator[str]:
    return _by(now, "fetch_failed", "pprof_fetch_failures_total", "reason", above=0)


def _decode_failed(now: Scrape) -> Iterator[str]:
    return _by(now, "decode_failed", "pprof_decode_failures_total", "reason", above=0)


def _changed(now: Scrape) -> Iterator[str]:
    return _by(now, "changed", "pprof_changes_total", "change", above=0)


def _latency_difference(now: Scrape) -> Iterator[str]:
    return _by(now, "slow", "pprof_latency_difference_seconds", "cause", above=_SLOW)


def _latency(now: Scrape) -> Iterator[str]:
    for labels, fetches in now.find("pprof_fetch_duration_seconds_count"):
        limit = _SLOW_CPU if labels["profile"] == "cpu" else _SLOW
        if fetches and (now.value("pprof_fetch_duration_seconds_sum", **labels) or 0) > limit * fetches:
            yield f"slow:{labels['profile']}"


def _by(now: Scrape, signal: str, family: str, label: str, *, above: float) -> Iterator[str]:
    return (f"{signal}:{labels[label]}" for labels, value in now.find(family) if value > above)


_NAMED: tuple[Callable[[Scrape], Iterator[str]], ...] = (
    _symbols,
    _truncated,
    _fetch_failed,
    _decode_failed,
    _changed,
    _latency_difference,
    _latency,
)
