"""Every threshold of the alerts and dashboards, in one place, with its reason.

Measured values are those of real programs, see docs/signals.md. To change a value without editing a rule:
`pprof-exporter rules --set NAME=VALUE`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A named limit; `unit` is that of the value, "" for a plain count or factor.

    `age` marks a time since an event: `pprof-exporter rules --time-scale` scales it like every other wait.
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
        0.55,
        "ratio",
        "busy programs: at 250 ticks a second nothing below 0.9 was measured, at 100 ticks short bursts compute to 0.6",
    ),
    Threshold(
        "cpu_coverage_very_low", 0.45, "ratio", "busy programs: far below what any kernel and any load can explain"
    ),
    Threshold(
        "cpu_coverage_low_light",
        0.4,
        "ratio",
        "light programs, not on Windows: 0.75 to 0.99 measured with 1 to 8 workers; 32 threads compute to 0.4",
    ),
    Threshold(
        "cpu_coverage_low_windows",
        0.8,
        "ratio",
        "busy Windows builds show 0.94 and more: its profiler waits for no kernel ticks",
    ),
    Threshold("cpu_coverage_fallen", 0.7, "ratio", "at 250 ticks a second, short bursts alone explain 0.75"),
    Threshold(
        "cpu_coverage_fall", 0.2, "ratio", "500 samples move the coverage by 0.02 by chance, other bursts by up to 0.2"
    ),
    Threshold(
        "cpu_used_busy",
        2.5,
        "seconds",
        "CPU time per profile, half a core for 5 s: what threads lose at its end is 2 %",
    ),
    Threshold(
        "cpu_used_light",
        0.25,
        "seconds",
        "CPU time per profile, a twentieth of a core for 5 s: healthy programs with less show anything down to 0.02",
    ),
    Threshold(
        "cpu_busy_processors",
        0.5,
        "processors",
        "long profiles have much CPU time at little load; for 5 s it is the same",
    ),
    Threshold("cpu_light_processors", 0.05, "processors", "the same for light programs"),
    Threshold("cpu_used_alike", 0.5, "ratio", "with half of the usual load, a lower coverage is to be expected"),
    Threshold("cpu_coverage_history", 24, "", "hours of coverage; fewer do not have each load of a day"),
    Threshold(
        "cpu_enough_seconds",
        5,
        "seconds",
        "below 500 samples in half an hour, chance moves the coverage by several percent",
    ),
    Threshold("cpu_enough_samples", 50, "", "with fewer samples in half an hour, shares are chance"),
    Threshold("cpu_timer_lowest", 60, "hertz", "a timer of 15.625 ms ticks at 64 Hz; below 60 something else is wrong"),
    Threshold("cpu_timer_highest", 68, "hertz", "a timer of 15.625 ms ticks at 64 Hz, plus chance"),
    Threshold("samples_lost", 0.01, "ratio", "the runtime counts these losses exactly; healthy programs have none"),
    Threshold("samples_opaque", 0.2, "ratio", "healthy programs show below 0.05, more during garbage collection"),
    Threshold("samples_opaque_severe", 0.6, "ratio", "flame graphs are useless above this (golang/go 42862)"),
    Threshold(
        "tick_stddev", 0.005, "seconds", "half a period at 100 Hz; healthy is 0.0017 to 0.0035, kernel ticks included"
    ),
    Threshold("tick_late", 0.2, "ratio", "healthy programs with a busy thread show up to 0.13 later than 1.5 periods"),
    Threshold("tick_busy", 0.9, "processors", "a thread takes no samples while it rests, which looks like late ticks"),
    Threshold("tick_audit_fresh", 86_400, "seconds", "an audit of one second says little about another day", age=True),
    Threshold("tick_slow", 72, "hertz", "1.4 periods at 100 Hz; a timer of 15.625 ms gives 64"),
    # Clocks
    Threshold("clock_skew", 2, "seconds", "one host shows below 0.05; above 2, charts and logs visibly disagree"),
    Threshold("clock_skew_severe", 30, "seconds", "profiles no longer line up with logs or charts"),
    Threshold("window_too_long", 1, "seconds", "Go up to 1.25 ends up to 0.2 s late; since 1.26 within 0.03 s"),
    Threshold("window_too_short", -0.05, "seconds", "the program or its server ended the profile early"),
    # What profiles show
    Threshold("unsymbolized", 0.01, "ratio", "Go always symbolizes its own code: healthy is 0"),
    Threshold("unsymbolized_severe", 0.1, "ratio", "a tenth of the value has no function names"),
    Threshold("stacks_truncated", 0.1, "ratio", "a tenth of the value is in stacks without their root"),
    # Latency
    Threshold("fetch_slow", 0.25, "seconds", "a few milliseconds are healthy; below this an alert is not justified"),
    Threshold(
        "fetch_slow_factor",
        4,
        "",
        "users report a change from milliseconds to hundreds of milliseconds; what delays cheap requests too is none",
    ),
    Threshold("fetch_very_slow", 2.5, "seconds", "a quarter of the default deadline, regardless of history"),
    Threshold(
        "heap_many_records",
        5000,
        "",
        "Go 1.24 walks a record in 5 microseconds of CPU time: fewer records are not what 200 ms are spent on",
    ),
    Threshold(
        "goroutine_many_stacks",
        2000,
        "",
        "Go 1.24 collects a stack in 16 microseconds of CPU time: fewer goroutines are not what 200 ms are spent on",
    ),
    Threshold("latency_difference", 0.2, "seconds", "listing modules takes 1 to 10 ms, however large the program is"),
    Threshold(
        "latency_difference_large",
        1,
        "seconds",
        "walking heap records or goroutines; healthy programs with 20,000 goroutines show 0.7 on a starved machine",
    ),
    Threshold("canary_slow", 0.5, "seconds", "a cheap request takes a few milliseconds"),
    Threshold("perturbation_factor", 4, "", "profiles may slow the canary by half; users notice more"),
    Threshold("perturbation_least", 0.1, "seconds", "users do not notice less"),
    # Fetching
    Threshold("profile_stale", 1800, "seconds", "three times the longest interval of a profile, or back-off", age=True),
    Threshold("failing", 0.2, "ratio", "one fetch in five; occasional failures come from the network"),
    Threshold(
        "fetches_lost",
        0.1,
        "ratio",
        "where one fetch in five fails, at most 6 of 60 in an hour do so once in 32 times; a cut of minutes is below",
    ),
    Threshold("undecodable", 0.05, "ratio", "a complete reply that is no profile is not a network error"),
    Threshold("busy", 0.2, "ratio", "occasional use of `go tool pprof` is fine"),
    Threshold("failures", 3, "", "one or two failures are no pattern"),
    Threshold("rejections", 2, "", "such a server refuses every time; the first refusal creates the series"),
    Threshold("canaries", 5, "", "fewer requests do not give a mean"),
    Threshold("restarts", 4, "", "per hour; a release and its fix make two"),
    # Memory and goroutines
    Threshold(
        "growth_share",
        0.3,
        "ratio",
        "share of the growth in the first two and in the last two of five steps: steady growth has 0.4 in each, a step "
        "to another level none in one of them, a cache that levels off little in the last",
    ),
    Threshold("growth_second_day", 0.5, "ratio", "one of two days with half the growth of the other; steady has 1"),
    Threshold("growth_hours_age", 12_600, "seconds", "three hours, after half an hour of start-up", age=True),
    Threshold(
        "growth_day_age", 91_800, "seconds", "a day and its first hour, after half an hour of start-up", age=True
    ),
    Threshold("growth_two_days_age", 178_200, "seconds", "two days and their first hour, after half an hour", age=True),
    Threshold("growth_fast_age", 1200, "seconds", "twelve minutes of growth, after eight of start-up", age=True),
    Threshold("growth_fast_spans", 6, "", "an hour has six times the ten minutes that are watched"),
    Threshold(
        "growth_fast_factor", 0.5, "", "growth within an hour by the present value; at less, the slow alerts suffice"
    ),
    Threshold(
        "goroutine_growth_factor", 1.2, "", "lowest count against that of before, yesterday and a week ago: traffic"
    ),
    Threshold("goroutine_growth_least", 100, "", "a service of a few dozen goroutines may double"),
    Threshold(
        "goroutine_growth_wave",
        1000,
        "",
        "as long as the same hour of a week ago is not known, the morning of a service with hundreds of connections "
        "looks like less",
    ),
    Threshold("goroutines_many", 10_000, "", "profiles and collections of so many take tens of milliseconds"),
    Threshold("goroutine_fast_least", 500, "", "in ten minutes: less is 3,000 an hour, which leaves time"),
    Threshold("heap_growth_factor", 1.2, "", "hourly minimum against that of a day before: caches fill within a day"),
    Threshold("heap_growth_least", 67_108_864, "bytes", "64 MiB a day deserve attention"),
    Threshold(
        "heap_full",
        0.5,
        "ratio",
        "of the memory limit: by default Go lets the heap double before it collects (GOGC=100), so that memory is full",
    ),
    Threshold("heap_fast_share", 0.05, "ratio", "of the memory limit in ten minutes: a third of it in an hour"),
    Threshold(
        "heap_fast_least", 178_956_971, "bytes", "in ten minutes, without a known limit: 1 GiB an hour, 24 in a day"
    ),
    Threshold("restarts_after_growth", 2, "", "two a day: one may be a release of the same program on a busy morning"),
    Threshold("profiler_memory", 268_435_456, "bytes", "256 MiB; a few MiB are usual (golang/go 69590 reports 2 GiB)"),
    Threshold("gc_samples", 0.4, "ratio", "Go plans 25 % for marking; assists come on top"),
    Threshold("gc_busy", 0.2, "processors", "at rest Go does little besides a collection every two minutes"),
    Threshold("gc_enough_samples", 300, "", "a share of 0.4 among 300 samples is exact to 0.03"),
    Threshold(
        "gc_processors",
        0.02,
        "processors",
        "72 s of CPU time an hour; the collection every two minutes of a program at rest takes 0.001 with 300 MiB",
    ),
    Threshold(
        "gc_cycles_at_rest",
        60,
        "",
        "per hour; at rest Go collects every two minutes, and each leak profile of Go 1.27 is one more: 36 an hour",
    ),
    Threshold("gc_limit_share", 0.1, "ratio", "a tenth of the CPU time that its cgroup allows is a real loss"),
    Threshold(
        "gc_samples_avoidable",
        0.2,
        "ratio",
        "with a setting as its cause: GOGC=5 shows 0.31 to 0.73, 8 forced collections a second 0.11 to 0.34. Alone it "
        "proves nothing: programs that mostly build JSON show 0.13 to 0.24 with defaults",
    ),
    Threshold(
        "gc_heap_fill",
        0.85,
        "ratio",
        "of the size at which the next collection starts: above 0.5 with GOGC=100, 0.77 with 30, 0.95 with 5 or at "
        "GOMEMLIMIT",
    ),
    Threshold("gogc_low", 0.2, "ratio", "GOGC=20, a fifth of the default; servers that save memory set 30 to 75"),
    Threshold(
        "gc_heap_readings", 8, "", "with GOGC=30, eight readings are above 0.85 once in 30 times, with 100 never"
    ),
    Threshold("gc_forced", 0.5, "ratio", "the program itself requests most collections"),
    # Locks, threads and CPU limits
    Threshold(
        "lock_contention",
        4,
        "seconds per second",
        "so many goroutines wait at any time; 64 that build JSON around one short lock show 2 on an overloaded machine",
    ),
    Threshold("lock_contention_factor", 1, "", "more goroutines wait for locks than compute"),
    Threshold("threads", 150, "threads", "healthy programs have 5 to 30, with slow disks up to 100"),
    Threshold(
        "threads_per_processor", 10, "", "Go runs as many as there are processors; all others wait in the system"
    ),
    Threshold("threads_in_use", 100, "", "threads that once were needed and rest now cost next to nothing"),
    Threshold("threads_severe", 5000, "threads", "half of the 10,000 at which Go ends the program (SetMaxThreads)"),
    Threshold("throttled", 0.25, "ratio", "the limit of kubernetes-mixin (CPUThrottlingHigh)"),
    Threshold("throttled_enough_periods", 600, "", "in half an hour; a minute of work, with fewer it hardly runs"),
    # Upgrades
    Threshold("regression_factor", 2, "", "medians of one program differ by less from day to day"),
    Threshold("regression_latency_least", 0.05, "seconds", "a small latency that doubled is still small"),
    Threshold("regression_coverage", 0.15, "ratio", "the 64 Hz timer loses 0.36"),
    Threshold("regression_observations", 10, "", "fewer values do not give a median"),
    Threshold(
        "regression_watch", 86_400, "seconds", "a day covers every load; what persists has other alerts", age=True
    ),
    Threshold(
        "changes_together", 600, "seconds", "a release and its correction, minutes later, are one change", age=True
    ),
    Threshold(
        "regression_coverage_below",
        0.75,
        "ratio",
        "with 100 expected samples in a profile, bursts explain 0.85 at 250 ticks a second; the 64 Hz timer gives 0.64",
    ),
    Threshold("regression_share", 0.1, "ratio", "a tenth of the value, or of the locations, is not chance"),
    Threshold(
        "regression_jitter_least",
        0.004,
        "seconds",
        "healthy is 0.0017 to 0.0035, so twice the smallest is still healthy",
    ),
    Threshold("regression_tick_rate", 10, "hertz", "the 64 Hz timer loses 36; audits of one program differ by less"),
    Threshold("regression_audits", 3, "", "an audit has a hundred ticks, but one audit after an upgrade is not enough"),
    Threshold(
        "regression_level_factor",
        1.5,
        "",
        "live heap and the share of collection vary less than rates; limits of memory seldom allow twice",
    ),
    Threshold("regression_heap_least", 67_108_864, "bytes", "64 MiB more deserve attention, less seldom does"),
    Threshold(
        "regression_allocation_least",
        10_485_760,
        "",
        "10 MiB per second; less costs a processor below 1 % in allocation and collection",
    ),
    Threshold("regression_contention_least", 0.1, "", "seconds per second: a tenth of a goroutine always waits"),
    Threshold("regression_goroutines_least", 100, "", "a service of a few dozen goroutines may double"),
    Threshold("regression_threads_least", 50, "", "Go keeps a thread for each processor and each blocked system call"),
    Threshold("regression_cpu_least", 0.1, "processors", "less is lost among what a profile itself costs"),
    Threshold("upgrade_told", 7200, "seconds", "long enough to correlate it with other events", age=True),
    Threshold("regression_fleet", 3, "targets", "three targets of one job point to the upgrade, not to a target"),
    # The exporter
    Threshold("discovery_stale", 1800, "seconds", "six times the longest default refresh interval", age=True),
    Threshold("loop_lag", 0.25, "seconds", "above this, measured latencies are those of the exporter"),
    Threshold("overloaded_share", 1, "ratio", "all ten minutes: one late moment counts for 90 seconds"),
    Threshold("overdue", 3, "", "three fetches in an hour waited for the maximum time: the target is always busy"),
    Threshold("saturated", 0.9, "ratio", "above this, fetches wait for each other"),
    Threshold("storage_troubles", 10, "", "of 120 writes an hour; an occasional lock does no harm"),
)

THRESHOLDS_BY_NAME: dict[str, Threshold] = {threshold.name: threshold for threshold in THRESHOLDS}
