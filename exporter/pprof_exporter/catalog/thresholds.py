"""Where healthy ends: every threshold of the alerts and dashboards, in one place, with its reason.

Measured values are those of real programs, see docs/signals.md. A value can be changed without editing a rule:
`pprof-exporter rules --set NAME=VALUE`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit by name; `unit` is that of the value, "" for a plain count or factor.

    `age` marks a time since something happened: `pprof-exporter rules --time-scale` scales it like every other wait.
    """

    name: str
    value: float
    unit: str
    reason: str
    age: bool = False


THRESHOLDS: tuple[Threshold, ...] = (
    # Samples
    Threshold(
        "cpu_coverage_low",
        0.8,
        "ratio",
        "healthy programs show 0.94 to 1.15; Go's own test wants the magnitude right within 10 %",
    ),
    Threshold(
        "cpu_coverage_very_low", 0.55, "ratio", "below the 0.64 of a timer at 64 Hz: more than the timer is wrong"
    ),
    Threshold(
        "cpu_enough_seconds",
        5,
        "seconds",
        "below 500 samples in half an hour chance moves the coverage by some percent",
    ),
    Threshold("cpu_enough_samples", 50, "", "with fewer samples in half an hour, shares of them are chance"),
    Threshold(
        "cpu_timer_lowest", 60, "hertz", "a timer of 15.625 ms ticks at 64 Hz; below 60 something else is wrong too"
    ),
    Threshold("cpu_timer_highest", 68, "hertz", "a timer of 15.625 ms ticks at 64 Hz, give or take chance"),
    Threshold("samples_lost", 0.01, "ratio", "the runtime counts these losses exactly, and healthy programs have none"),
    Threshold("samples_opaque", 0.2, "ratio", "healthy programs show below 0.05, more while they collect garbage"),
    Threshold("samples_opaque_severe", 0.6, "ratio", "then flame graphs say next to nothing (golang/go 42862)"),
    Threshold(
        "tick_stddev", 0.005, "seconds", "half a period at 100 Hz; healthy are 0.0017 to 0.0035, kernel ticks included"
    ),
    Threshold("tick_late", 0.2, "ratio", "healthy programs with a busy thread show up to 0.13 later than 1.5 periods"),
    Threshold("tick_busy", 0.9, "processors", "a thread that rests at times takes no samples then, which looks late"),
    Threshold(
        "tick_audit_fresh", 86_400, "seconds", "an audit is of one second, and says little about another day", age=True
    ),
    Threshold("tick_slow", 72, "hertz", "1.4 periods at 100 Hz; a timer of 15.625 ms gives 64"),
    # Clocks
    Threshold("clock_skew", 2, "seconds", "one host shows below 0.05; charts and logs begin to disagree visibly"),
    Threshold("clock_skew_severe", 30, "seconds", "profiles no longer line up with anything"),
    Threshold("window_too_long", 1, "seconds", "Go up to 1.25 ends up to 0.2 s late, since 1.26 within 0.03 s"),
    Threshold("window_too_short", -0.05, "seconds", "the program or its server ended the profile early"),
    # What profiles show
    Threshold("unsymbolized", 0.01, "ratio", "Go symbolises its own code always: healthy is 0"),
    Threshold("unsymbolized_severe", 0.1, "ratio", "a tenth of the value cannot be named any more"),
    Threshold("stacks_truncated", 0.1, "ratio", "a tenth of the value hangs on stacks without their root"),
    # Latency
    Threshold("fetch_slow", 0.25, "seconds", "a few milliseconds are healthy; nobody is woken below this"),
    Threshold("fetch_slow_factor", 4, "", "the change that people complain about is from ms to hundreds of ms"),
    Threshold("fetch_very_slow", 2.5, "seconds", "a quarter of the default deadline, whatever the history"),
    Threshold(
        "latency_difference", 0.2, "seconds", "listing modules, walking heap records or goroutines takes 1 to 10 ms"
    ),
    Threshold("canary_slow", 0.5, "seconds", "a request that costs nothing takes a few milliseconds"),
    Threshold("perturbation_factor", 4, "", "profiles may slow the canary by half; more is felt by users"),
    Threshold("perturbation_least", 0.1, "seconds", "below that nobody feels it"),
    # Fetching
    Threshold(
        "profile_stale", 1800, "seconds", "three times the longest default interval and the longest back-off", age=True
    ),
    Threshold("failing", 0.2, "ratio", "one fetch in five; a failure now and then is the network"),
    Threshold("undecodable", 0.05, "ratio", "a complete reply that is no profile is no accident"),
    Threshold("busy", 0.2, "ratio", "a person with `go tool pprof` now and then is welcome"),
    Threshold(
        "answered_lately", 300, "seconds", "profiles that are mounted without an index page come every minute", age=True
    ),
    Threshold("failures", 3, "", "one or two failures are no pattern"),
    Threshold("rejections", 2, "", "a server that is configured so refuses every time; the first one makes the series"),
    Threshold("canaries", 5, "", "fewer requests make no mean"),
    Threshold("restarts", 4, "", "in an hour; a release and its correction are two"),
    # Memory and goroutines
    Threshold("goroutine_growth_factor", 1.2, "", "of the floor of an hour, six hours later: traffic comes and goes"),
    Threshold("goroutine_growth_least", 100, "", "a service of a few dozen goroutines may double"),
    Threshold("heap_growth_factor", 1.2, "", "of the floor of an hour, a day later: caches fill within a day"),
    Threshold("heap_growth_least", 67_108_864, "bytes", "64 MiB a day are worth a look"),
    Threshold("heap_growth_half", 0.2, "ratio", "of a day's growth in each half: a leak has 0.5, a step has it in one"),
    Threshold("profiler_memory", 268_435_456, "bytes", "256 MiB; usual are a few (golang/go 69590 reports 2 GiB)"),
    Threshold("gc_samples", 0.4, "ratio", "Go plans 25 % for marking, and assists come on top"),
    Threshold("gc_busy", 0.2, "processors", "Go collects every two minutes even at rest, and does little else then"),
    # Upgrades
    Threshold("regression_factor", 2, "", "medians of one program differ by less from day to day"),
    Threshold("regression_latency_least", 0.05, "seconds", "a latency that doubled and is small still is small"),
    Threshold("regression_coverage", 0.15, "ratio", "the timer at 64 Hz takes 0.36"),
    Threshold("regression_observations", 10, "", "fewer values make no median"),
    Threshold(
        "regression_watch", 86_400, "seconds", "a day has every load once; what lasts has alerts of its own", age=True
    ),
    Threshold(
        "changes_together",
        600,
        "seconds",
        "what tells the build and what tells the version come minutes apart",
        age=True,
    ),
    Threshold("regression_coverage_below", 0.94, "ratio", "healthy programs show 0.94 and more, whatever was before"),
    Threshold("regression_share", 0.1, "ratio", "a tenth of the value, or of the locations, is more than chance"),
    Threshold(
        "regression_jitter_least", 0.004, "seconds", "healthy are 0.0017 to 0.0035, so that twice the least is healthy"
    ),
    Threshold("regression_tick_rate", 10, "hertz", "the timer at 64 Hz takes 36; audits of one program differ by less"),
    Threshold("regression_audits", 3, "", "an audit has a hundred ticks, but the first after an upgrade is no rule"),
    Threshold("upgrade_told", 7200, "seconds", "time enough to see it beside what else happened", age=True),
    Threshold("regression_fleet", 3, "targets", "from three targets of one job on it is the upgrade, not the target"),
    # The exporter
    Threshold(
        "discovery_stale", 1800, "seconds", "six times the longest default interval of a source of targets", age=True
    ),
    Threshold("loop_lag", 0.25, "seconds", "latencies that the exporter measures become its own"),
    Threshold("overdue", 3, "", "three fetches in an hour that waited for the longest time: the target has no rest"),
    Threshold("saturated", 0.9, "ratio", "then fetches begin to wait for each other"),
    Threshold("storage_troubles", 10, "", "of 120 writes an hour; a lock now and then costs nothing"),
)

BY_NAME: dict[str, Threshold] = {threshold.name: threshold for threshold in THRESHOLDS}
