"""The dashboard of one target: fetches, content and quality of its profiles."""

from __future__ import annotations

from pprof_exporter.dashboards.model import Colour, Dashboard, Query, Row, bad_above, bad_below
from pprof_exporter.dashboards.panels import heatmap, lines, signed, stat, timeline, with_words
from pprof_exporter.dashboards.variables import CHOSEN, COVERAGE, HEAP_FETCH, JOB, ONE_TARGET, SERVICE, worst_severity

_RATE = "$__rate_interval"
_LAST = "last_over_time"


def _by(label: str, family: str, legend: str = "") -> Query:
    return Query(f"sum by ({label}) ({family}{{{CHOSEN}}})", legend or f"{{{{{label}}}}}")


def _mean(family: str, by: str, *more: str) -> str:
    """Mean of a histogram over the interval of a data point."""
    matchers = ",".join((CHOSEN, *more))
    return (
        f"sum by ({by}) (rate({family}_sum{{{matchers}}}[{_RATE}]))"
        f" / (sum by ({by}) (rate({family}_count{{{matchers}}}[{_RATE}])) > 0)"
    )


DASHBOARD = Dashboard(
    "pprof-target",
    "pprof: target",
    "One target: how its profiles are fetched, what they hold, and how far they can be trusted.",
    (JOB, SERVICE, ONE_TARGET),
    (
        Row(
            "How is it?",
            (
                stat(
                    "CPU coverage",
                    "Share of the CPU time of the last half hour's profiles that their samples account for. Healthy "
                    "is 90 % and more above half a core; on Linux less for short bursts (docs/coverage.md). No value: "
                    "the CPU time that it used is unknown or next to none.",
                    f"max({COVERAGE})",
                    unit="percentunit",
                    limits=bad_below("cpu_coverage_low", "cpu_coverage_very_low"),
                ),
                stat(
                    "Heap fetch",
                    "Mean time to fetch a heap profile over half an hour.",
                    f"max({HEAP_FETCH})",
                    unit="s",
                    limits=bad_above("fetch_slow", "fetch_very_slow"),
                ),
                stat(
                    "Canary",
                    "Mean time of a request that costs the target nothing, within a quarter of an hour.",
                    f"sum(rate(pprof_canary_duration_seconds_sum{{{CHOSEN}}}[15m]))"
                    f" / sum(rate(pprof_canary_duration_seconds_count{{{CHOSEN}}}[15m]))",
                    unit="s",
                    limits=bad_above("canary_slow"),
                ),
                stat("Goroutines", "As the index page counts them.", f"sum(pprof_goroutines{{{CHOSEN}}})"),
                with_words(
                    stat(
                        "Restarts, 1 h",
                        "Restarts within an hour, each proven by another start time or build, or counters that fell. "
                        "Several processes at one address: nothing else is judged until each has an address.",
                        f"0 - max(pprof_several_processes_info{{{CHOSEN}}})"
                        f" or sum(increase(pprof_restarts_total{{{CHOSEN}}}[1h]))",
                        limits=bad_above("restarts"),
                    ),
                    [(-1, "several processes", Colour.WARNING)],
                ),
                stat(
                    "Changed",
                    "Time since Windows, Go, the program or its modules were last seen to change. No value: not since "
                    "the exporter began to watch.",
                    f"time() - max(pprof_last_change_timestamp_seconds{{{CHOSEN}}})",
                    unit="s",
                ),
            ),
        ),
        Row(
            "What was wrong, and when?",
            (
                timeline(
                    "Alerts",
                    "A line for each alert that fired, in the colour of its severity. Purple marks above are upgrades.",
                    Query(
                        f"max by (alertname) ({worst_severity('alertname')})"
                        f' or label_replace(0 * max(pprof_up{{{CHOSEN}}}), "alertname", "reachable", "", "")',
                        "{{alertname}}",
                    ),
                    height=6,
                ),
            ),
        ),
        Row(
            "How are its profiles fetched?",
            (
                heatmap(
                    "Heap fetches",
                    "How many fetches of the heap profile took how long. Two bands mean that something now and then "
                    "gets in between: on Windows often a scanner of files that are opened.",
                    f'sum by (le) (increase(pprof_fetch_duration_seconds_bucket{{profile="heap",{CHOSEN}}}[{_RATE}]))',
                ),
                lines(
                    "Fetch time by profile",
                    "Mean time of a fetch, without the window of a CPU profile. All slower together is the process, "
                    "its host or the network; one alone is what that profile collects.",
                    Query(_mean("pprof_fetch_duration_seconds", "profile"), "{{profile}}"),
                    unit="s",
                    limits=bad_above("fetch_slow"),
                ),
                lines(
                    "Fetch time by phase",
                    "Where the time goes: first_byte is the target at work, transfer is size and network.",
                    Query(f"sum by (phase) (rate(pprof_fetch_phase_seconds_total{{{CHOSEN}}}[{_RATE}]))", "{{phase}}"),
                    unit="s",
                    stacked=True,
                    width=8,
                ),
                lines(
                    "What makes it slow",
                    "modules: looking up loaded libraries on disk (Windows); heap: records of the heap profile; "
                    "goroutines: stacks of all of them. The one above the line is the cause. Below zero is chance.",
                    _by("cause", "pprof_latency_difference_seconds"),
                    unit="s",
                    limits=bad_above("latency_difference"),
                    width=8,
                ),
                lines(
                    "Failures by reason",
                    "Failed fetches and replies that are no profile; docs/reasons.md explains each reason. Zero is "
                    "healthy.",
                    Query(
                        f"sum by (profile, reason) (increase(pprof_fetch_failures_total{{{CHOSEN}}}[{_RATE}])"
                        f" or increase(pprof_decode_failures_total{{{CHOSEN}}}[{_RATE}])) or vector(0)",
                        "{{profile}} {{reason}}",
                    ),
                    width=8,
                    shades=Colour.WARNING,
                ),
            ),
        ),
        Row(
            "Are its CPU profiles true?",
            (
                lines(
                    "CPU time: used and accounted for",
                    "Busy processors within the CPU profiles, as the system counts them and as the samples say. The "
                    "samples below the system: time is missing. Stopped: seconds a second for which the CPU limit of "
                    "its cgroup made it wait; zero also where no limit is known.",
                    Query(
                        f"sum(rate(pprof_cpu_used_seconds_total{{{CHOSEN}}}[{_RATE}]))"
                        f" / sum(rate(pprof_cpu_profiled_seconds_total{{{CHOSEN}}}[{_RATE}]))",
                        "used",
                        colour=Colour.BEFORE,
                    ),
                    Query(
                        f"sum(rate(pprof_cpu_accounted_seconds_total{{{CHOSEN}}}[{_RATE}]))"
                        f" / sum(rate(pprof_cpu_profiled_seconds_total{{{CHOSEN}}}[{_RATE}]))",
                        "accounted for",
                        colour=Colour.NOW,
                    ),
                    Query(
                        f"sum(rate(pprof_cgroup_cpu_throttled_seconds_total{{{CHOSEN}}}[{_RATE}])) or vector(0)",
                        "stopped by its limit",
                        colour=Colour.WARNING,
                    ),
                    width=8,
                ),
                lines(
                    "Samples set apart",
                    "Shares of the samples that the runtime lost, that have no stack, that sat in a system call "
                    "(Windows), or that are garbage collection.",
                    *(
                        Query(
                            f"sum(rate(pprof_cpu_{kind}_samples_total{{{CHOSEN}}}[{_RATE}]))"
                            f" / sum(rate(pprof_cpu_samples_total{{{CHOSEN}}}[{_RATE}]) > 0)",
                            kind,
                            colour=colour,
                        )
                        for kind, colour in (
                            ("lost", Colour.CRITICAL),
                            ("opaque", Colour.WARNING),
                            ("blocked", Colour.BEFORE),
                            ("gc", Colour.NOW),
                        )
                    ),
                    unit="percentunit",
                    width=8,
                ),
                lines(
                    "Canary at rest and while profiled",
                    "Mean time of a request that costs nothing. While profiled well above at rest: profiling disturbs "
                    "the service.",
                    Query(
                        _mean("pprof_canary_duration_seconds", "during", 'during="rest"'),
                        "at rest",
                        colour=Colour.BEFORE,
                    ),
                    Query(
                        _mean("pprof_canary_duration_seconds", "during", 'during="profile"'),
                        "while profiled",
                        colour=Colour.NOW,
                    ),
                    unit="s",
                    limits=bad_above("canary_slow"),
                    width=8,
                ),
            ),
        ),
        Row(
            "What do its profiles hold?",
            (
                lines(
                    "Goroutines by state",
                    "What goroutines wait for. A state that only grows leads to the leak.",
                    _by("state", "pprof_goroutines_by_state"),
                    stacked=True,
                    width=6,
                ),
                lines(
                    "Threads",
                    "Threads of the operating system, and goroutines in system calls or calls of C, each of which "
                    "holds one. Many of both: something slow blocks them.",
                    Query(f"sum(pprof_threads_created_total{{{CHOSEN}}})", "threads", colour=Colour.NOW),
                    Query(
                        f'sum(pprof_goroutines_by_state{{state="syscall",{CHOSEN}}})',
                        "in system calls",
                        colour=Colour.WARNING,
                    ),
                    limits=bad_above("threads", "threads_severe"),
                    width=6,
                ),
                lines(
                    "Goroutines by function",
                    "The functions that most goroutines were started with.",
                    Query(
                        f'topk(8, sum by (function) (pprof_function_goroutines{{profile="goroutine",{CHOSEN}}}))',
                        "{{function}}",
                    ),
                    width=6,
                ),
                lines(
                    "Live heap by function",
                    "The functions that allocated most of what is still in use, and the memory limit once the live "
                    "heap is a quarter of it. By default Go needs twice the live heap.",
                    Query(f"topk(8, sum by (function) (pprof_function_heap_inuse_bytes{{{CHOSEN}}}))", "{{function}}"),
                    Query(
                        f"min(target:pprof_memory_limit_bytes:min{{{CHOSEN}}})"
                        f" < 4 * sum(pprof_heap_inuse_bytes{{{CHOSEN}}})",
                        "memory limit",
                        colour=Colour.CRITICAL,
                    ),
                    unit="bytes",
                    width=6,
                ),
                lines(
                    "CPU time by function",
                    "CPU seconds of the latest window by the function that ran.",
                    Query(f"topk(8, sum by (function) (pprof_function_cpu_seconds{{{CHOSEN}}}))", "{{function}}"),
                    unit="s",
                    width=8,
                ),
                lines(
                    "Contention",
                    "Time that goroutines waited for each other, in seconds a second, which is the number of those "
                    "that wait. mutex above the line: locks are contended. Nothing at all while goroutines wait: its "
                    "recording is off.",
                    Query(
                        f"sum by (profile) (rate(pprof_contention_seconds_total{{{CHOSEN}}}[{_RATE}]))", "{{profile}}"
                    ),
                    unit="s",
                    limits=bad_above("lock_contention"),
                    width=8,
                ),
                lines(
                    "Growth by function",
                    "Goroutines that came on top over the last five fetches, of functions that had more each time. "
                    "Empty is healthy, drawn as zero.",
                    Query(
                        f"sum by (function) (pprof_function_goroutine_growth{{{CHOSEN}}}) or vector(0)", "{{function}}"
                    ),
                    width=8,
                    shades=Colour.WARNING,
                ),
            ),
        ),
        Row(
            "Symbols, stacks, clocks, garbage collection",
            (
                lines(
                    "Without symbols, and cut",
                    "Share of each profile in stacks with a nameless function, and in stacks as deep as Go records; "
                    "share of locations with inlined calls, which falls to zero when a build is made without inlining.",
                    Query(
                        f"max by (profile) (pprof_unsymbolized_ratio{{{CHOSEN}}})",
                        "{{profile}} without symbols",
                        colour=Colour.CRITICAL,
                    ),
                    Query(
                        f"max by (profile) (pprof_truncated_stack_ratio{{{CHOSEN}}})",
                        "{{profile}} cut",
                        colour=Colour.WARNING,
                    ),
                    Query(
                        f"max by (profile) (pprof_inlined_location_ratio{{{CHOSEN}}})",
                        "{{profile}} with inlined calls",
                        colour=Colour.BEFORE,
                    ),
                    unit="percentunit",
                    width=8,
                ),
                signed(
                    lines(
                        "Clock",
                        "Time stamps of profiles less the exporter's clock. Both clocks count.",
                        Query(f"max by (profile) (pprof_profile_clock_skew_seconds{{{CHOSEN}}})", "{{profile}}"),
                        unit="s",
                        width=8,
                    )
                ),
                lines(
                    "Garbage collection",
                    "Pauses: 99th percentile of the time that the world stood still.",
                    Query(
                        f"histogram_quantile(0.99, sum by (le) (rate(pprof_gc_pause_seconds_bucket{{{CHOSEN}}}[1h])))",
                        "pause p99",
                        colour=Colour.NOW,
                    ),
                    unit="s",
                    width=8,
                ),
            ),
            collapsed=True,
        ),
    ),
    matchers=CHOSEN,
)
